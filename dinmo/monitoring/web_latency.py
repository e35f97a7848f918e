"""How long the web processes take to answer, in files that all processes of one machine share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
UNKNOWN_VIEW = "unknown"
LATENCY = Histogram(
    "dinmo_web_request_seconds",
    "How long requests took, by page.",
    ["method", "view", "status"],
    buckets=BUCKETS,
    registry=None,
)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def observe(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    """Counts a request that was answered. A client can't make up labels: each takes memory."""
    match = request.resolver_match
    view = (match.view_name if match else "") or UNKNOWN_VIEW
    method = request.method if request.method in METHODS else "other"
    LATENCY.labels(method, view, f"{response.status_code // 100}xx").observe(seconds)


def registry() -> CollectorRegistry:
    """A registry with what all web processes of this machine have counted."""
    found = CollectorRegistry()
    MultiProcessCollector(found, str(settings.METRICS_DIR))
    return found


def forget_ended_processes() -> None:
    """Deletes the files of processes that have ended. Their counters begin again, which Prometheus expects of them."""
    for path in settings.METRICS_DIR.glob("*.db"):
        pid = path.stem.rpartition("_")[2]
        if pid.isdecimal() and not _is_alive(int(pid)):
            Path(path).unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
