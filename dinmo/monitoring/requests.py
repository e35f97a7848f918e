"""The log of requests: an ID for each, in its answer and in every line that it causes, and one line when it is done."""

from __future__ import annotations

import logging
import re
import time
from typing import TYPE_CHECKING
from uuid import uuid4

from django.conf import settings
from structlog.contextvars import bound_contextvars

from dinmo.monitoring import web_latency

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

log = logging.getLogger("dinmo.access")
HEADER = "X-Request-ID"
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestLog:
    """Middleware that must precede all others that write to the log."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        web_latency.forget_ended_processes()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        request_id = accepted_id(request.headers.get(HEADER, "")) or uuid4().hex
        with bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            response[HEADER] = request_id
            _note(request, response, time.perf_counter() - started)
        return response


def accepted_id(text: str) -> str:
    """The request ID that a proxy sent; "" if it is missing or not well-formed."""
    return text if _WELL_FORMED.fullmatch(text) else ""


def _note(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    # Only a user that a page has loaded already. Loading one here would query the database, which may be down.
    user = getattr(request, "_cached_user", None)
    facts = {
        "method": request.method,
        "path": request.path,
        "status": response.status_code,
        "milliseconds": round(seconds * 1000),
    }
    about = {"user_id": user.pk} if user and user.pk else {}
    is_static = request.path_info.startswith(settings.STATIC_URL)
    with bound_contextvars(**about):
        log.log(logging.DEBUG if is_static else logging.INFO, "%s %s %s %s ms", *facts.values(), extra=facts)
    if not is_static:
        web_latency.observe(request, response, seconds)
