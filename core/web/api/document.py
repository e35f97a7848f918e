"""The endpoint that returns the description of all JSON endpoints, as an OpenAPI document."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from django.urls import path
from drf_spectacular.generators import SchemaGenerator
from rest_framework.response import Response

from core.web.api.schema import described
from core.web.endpoints import Endpoint

if TYPE_CHECKING:
    from rest_framework.request import Request


class ApiDocument(Endpoint):
    """GET returns this document. It is the same for everybody, whatever they may do."""

    permissions: ClassVar[tuple[str, ...]] = ()

    @described(dict[str, Any])
    def get(self, request: Request) -> Response:
        return Response(document())


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document of all endpoints, with their types."""
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return found


urlpatterns = [path("schema/", ApiDocument.as_view(), name="schema")]
