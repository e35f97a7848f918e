"""Traces of requests, tasks and requests to vendors (OpenTelemetry). Off unless OTEL_EXPORTER_OTLP_ENDPOINT is set."""

from __future__ import annotations

import logging
import os
from typing import Any

from django.utils.module_loading import import_string

log = logging.getLogger(__name__)
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


def begin(**_signal: Any) -> None:
    """Begins to send spans, if an endpoint is configured. Call it in each process, once it has been forked."""
    if not os.environ.get(ENDPOINT):
        return
    try:
        start = import_string("dinmo.monitoring.spans.start")
    except ImportError:
        log.error("%s is set, but OpenTelemetry is not installed: install requirements-extras.txt.", ENDPOINT)
        return
    start()
