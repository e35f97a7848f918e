"""Sets the actor of each request, resolved lazily."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from structlog.contextvars import get_contextvars

from core import audit
from core.audit import Actor, Kind
from dinmo.audit.sign_in import address_of, person

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

NOBODY = "Not signed in"


class RequestActor:
    """Middleware. Must come after AuthenticationMiddleware and the middleware that assigns request IDs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = str(get_contextvars().get("request_id", ""))
        with audit.acting_as(partial(sender, request), request=request_id):
            return self.get_response(request)


def sender(request: HttpRequest) -> Actor:
    """The actor of a request."""
    address = address_of(request)
    return person(request.user, address) if request.user.is_authenticated else Actor(Kind.PERSON, NOBODY, None, address)
