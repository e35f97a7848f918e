"""Health probes: whether this process is alive, and whether it can serve pages.

They come before everything else, because a probe knows no host name and has no session.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import Error, connection
from django.http import HttpResponse, JsonResponse

from core.database import pending_migrations
from core.errors import Problem
from dinmo.local import broker
from dinmo.monitoring import metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.http import HttpRequest

log = logging.getLogger(__name__)
BROKER_SECONDS = 1.0


class Probes:
    """Middleware that must be the first: it answers /healthz, /readyz and /metrics, and passes on everything else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        probe = PATHS.get(request.path)
        return probe(request) if probe and request.method in ("GET", "HEAD") else self.get_response(request)


def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """200 if this process answers. It touches nothing: restarting a process repairs no database."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """200 if this process can serve pages and start runs; otherwise 503, with the names of what does not work."""
    failing = list(_failing())
    if failing:
        log.warning("Not ready: %s.", ", ".join(failing))
    response = JsonResponse({"ready": not failing, "failing": failing}, status=503 if failing else 200)
    # Otherwise, Django logs each 503 as an error of its own.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def _failing() -> Iterator[str]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if not _is_migrated():
            yield "migrations"
    except Error:
        yield "database"
    try:
        broker.check_connection(settings.CELERY_BROKER_URL, BROKER_SECONDS)
    except Problem:
        yield "broker"


def _is_migrated() -> bool:
    """Whether every migration is applied. Looked up until it is so, because it stays so."""
    if not _Migrated.known:
        _Migrated.known = not pending_migrations()
    return _Migrated.known


class _Migrated:
    known = False


PATHS = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics.view}
