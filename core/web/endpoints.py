"""The base of the JSON endpoints: permissions, checks of the request body, and Problems as responses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from rest_framework.exceptions import ParseError
from rest_framework.permissions import BasePermission
from rest_framework.response import Response
from rest_framework.views import APIView

from core.errors import Misconfigured
from core.web.answers import headers_of, problem_of, status_of
from core.web.error_pages import help_url
from core.web.forms.json_field import is_storable

if TYPE_CHECKING:
    from rest_framework.request import Request

MOST_DIGITS = 18


class MayUse(BasePermission):
    """A staff user who has the endpoint's permissions, as in the admin."""

    def has_permission(self, request: Request, view: Any) -> bool:
        user = request.user
        return bool(user and user.is_active and user.is_staff and user.has_perms(view.permissions))


class Endpoint(APIView):  # type: ignore[misc, unused-ignore]
    """One URL. `permissions` are Django's, e.g. `segments.view_source`. Returns a Problem as a code and a message."""

    permission_classes = [MayUse]
    permissions: ClassVar[tuple[str, ...]]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # The body is read before permissions are checked, because it may contain the CSRF token.
        try:
            super().initial(request, *args, **kwargs)
            data = request.data
        except (RecursionError, UnicodeError, ParseError):
            raise _unreadable() from None
        if not isinstance(data, Mapping) or not is_storable(data):
            raise _unreadable()

    def handle_exception(self, exc: Exception) -> Response:
        problem = problem_of(exc)
        if problem:
            content = {"code": problem.code, "message": problem.message, "help": help_url(problem.code)}
            return Response(content, status=status_of(problem), headers=headers_of(problem))
        return super().handle_exception(exc)


def number(value: Any) -> int:
    """The ID of a row from a request; 0, which no row has, if the value is not an ID."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else 0


def _unreadable() -> Misconfigured:
    return Misconfigured(
        "request_unreadable", "Send one JSON object, without null characters or unpaired surrogates in its text."
    )
