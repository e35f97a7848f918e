"""Refuses requests that are too large, or that no page of the application sends, before their bodies are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from django.conf import settings
from django.template.defaultfilters import filesizeformat

from core.errors import Misconfigured
from core.web.answers import problem_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

ANONYMOUS_BYTES = 65_536
"""The largest body of a request without a login. Only the login form sends one."""
FORM_BYTES = 1_000_000
"""What a form may add to the file that it uploads."""


class BoundedRequests:
    """Middleware that must precede CsrfViewMiddleware, which reads the body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\x00" in request.path or "\x00" in unquote_plus(request.META.get("QUERY_STRING", "")):
            problem = Misconfigured("address_invalid", "The address contains a null character. Remove it.")
            return problem_response(request, problem)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        if "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH"):
            message = "Send the request with a Content-Length header instead of in chunks."
            return problem_response(request, Misconfigured("length_required", message), 411)
        limit = largest_body(request)
        if content_length(request) <= limit:
            return None
        message = f"The request is too large. At most {filesizeformat(limit)} are accepted here."
        return problem_response(request, Misconfigured("request_too_large", message), 413)


def content_length(request: HttpRequest) -> int:
    """The size of the body in bytes, as Django reads it."""
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isascii() and text.isdigit() else 0


def largest_body(request: HttpRequest) -> int:
    """The size in bytes up to which the body of this request is read.

    Settings: UPLOAD_PAGES has the permission to upload a file by the name of each page that takes one.
    """
    match = request.resolver_match
    user = request.user
    if not user.is_authenticated:
        return ANONYMOUS_BYTES
    permission = settings.UPLOAD_PAGES.get(match.view_name) if match else None
    if permission and user.has_perm(permission):
        return int(settings.SOURCE_UPLOAD_MAX_BYTES) + FORM_BYTES
    return int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
