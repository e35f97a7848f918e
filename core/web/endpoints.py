"""The base of the JSON endpoints: permissions, checks of the request body, and Problems as responses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.exceptions import PermissionDenied
from rest_framework.exceptions import ParseError
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.response import Response
from rest_framework.views import APIView

from core.errors import Misconfigured
from core.web.answers import headers_of, problem_of, refusal, status_of
from core.web.error_pages import help_url
from core.web.forms.json_field import is_storable

if TYPE_CHECKING:
    from rest_framework.request import Request

    from core.errors import Problem

MOST_DIGITS = 18


class MayUse(BasePermission):
    """A staff user who has the endpoint's permissions, as in the admin."""

    def has_permission(self, request: Request, view: Any) -> bool:
        user = request.user
        needed = view.permissions if request.method in SAFE_METHODS else (*view.permissions, *view.change_permissions)
        return bool(user and user.is_active and user.is_staff and user.has_perms(needed))


class Endpoint(APIView):  # type: ignore[misc, unused-ignore]
    """One URL. `permissions` are Django's, e.g. `segments.view_source`. Returns a Problem as a code and a message.

    All but GET need `change_permissions` as well.
    """

    permission_classes = [MayUse]
    permissions: ClassVar[tuple[str, ...]]
    change_permissions: ClassVar[tuple[str, ...]] = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # The body is read before permissions are checked, because it may contain the CSRF token.
        try:
            super().initial(request, *args, **kwargs)
            data = request.data
        except (RecursionError, UnicodeError, ParseError):
            raise _unreadable() from None
        if not isinstance(data, Mapping) or not is_storable(data):
            raise _unreadable()

    def permission_denied(self, request: Request, message: str | None = None, code: str | None = None) -> None:
        if request.user.is_authenticated:
            raise PermissionDenied
        super().permission_denied(request, message, code)

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, PermissionDenied):
            return _answer(refusal(self.request), 403)
        problem = problem_of(exc)
        return _answer(problem, status_of(problem)) if problem else super().handle_exception(exc)


def number(value: Any) -> int:
    """The ID of a row from a request; 0, which no row has, if the value is not an ID."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else 0


def _answer(problem: Problem, status: int) -> Response:
    content = {"code": problem.code, "message": problem.message, "help": help_url(problem.code)}
    return Response(content, status=status, headers=headers_of(problem))


def _unreadable() -> Misconfigured:
    return Misconfigured(
        "request_unreadable", "Send one JSON object, without null characters or unpaired surrogates in its text."
    )
