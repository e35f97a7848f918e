"""The description of the JSON endpoints in OpenAPI, from the types of what each takes and returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import resolve_type_hint
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FAILURES = {
    400: "The request is not valid, or what it is about can't be done as it is set up.",
    403: "Nobody is signed in, the CSRF token is missing, or the person does not have the permission.",
    404: "There is no such object.",
    413: "The request is too large.",
    415: "The body is not JSON.",
    503: "A source, a destination or the database can't be used now. The same request may work later.",
}
"""What every endpoint may answer instead."""


class Failure(TypedDict, total=False):
    """Why a request failed. `detail` alone if the framework refused it; otherwise a code and a message."""

    code: str
    message: str
    help: str
    detail: str


class EndpointSchema(AutoSchema):  # type: ignore[misc, unused-ignore]
    """Describes JSON only: forms are read too, for pages of old."""

    def map_parsers(self) -> list[str]:
        return ["application/json"]


def described(
    returns: Any,
    *,
    status: int | tuple[int, ...] = 200,
    body: Any = None,
    query: Mapping[str, str] | None = None,
    failures: Mapping[int, str] = FAILURES,
) -> Callable[[Any], Any]:
    """Describes a method of an endpoint.

    Args:
        returns: the type of the response; None if it has no body.
        status: that of a success, or all that there are.
        body: the type of the JSON object that the method takes.
        query: what each parameter of the address means.
        failures: what other statuses mean.
    """
    content = None if returns is None else resolve_type_hint(returns)
    statuses = (status,) if isinstance(status, int) else status
    answers = {code: OpenApiResponse(content, description="") for code in statuses}
    refused = {code: OpenApiResponse(resolve_type_hint(Failure), text) for code, text in failures.items()}
    given = [OpenApiParameter(name, str, description=text) for name, text in (query or {}).items()]
    decorator: Callable[[Any], Any] = extend_schema(
        request=None if body is None else {"application/json": resolve_type_hint(body)},
        responses={**answers, **refused},
        parameters=given,
    )
    return decorator
