"""The answer to /metrics: for programs that know METRICS_TOKEN, or for this machine alone if there is none."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from dinmo.accounts.proxies.addresses import SOCKET
from dinmo.monitoring import web_latency
from dinmo.monitoring.collector import DatabaseCollector

if TYPE_CHECKING:
    from django.http import HttpRequest

FORWARDED = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Forwarded-Host", "X-Forwarded-Proto", "Via")


def view(request: HttpRequest) -> HttpResponse:
    """All metrics in the text format of Prometheus; 403 without the token, and to other machines if there is none."""
    if not is_allowed(request):
        text = "Send METRICS_TOKEN as a bearer token. If it is not set, only this machine may read the metrics.\n"
        return HttpResponse(text, status=403, content_type="text/plain")
    registry = web_latency.registry()
    registry.register(DatabaseCollector(timezone.now()))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def is_allowed(request: HttpRequest) -> bool:
    """Whether the request carries the token; without a token, whether it comes from this machine and not a proxy."""
    if settings.METRICS_TOKEN:
        return constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}")
    forwarded = any(name in request.headers for name in FORWARDED)
    return not (forwarded or request.META.get(SOCKET)) and _is_loopback(request.META.get("REMOTE_ADDR", ""))


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
