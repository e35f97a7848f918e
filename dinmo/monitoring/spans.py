"""What leaves the process as a span: only attributes that are on a list, so that no secret and no value does.

Imported by `tracing` alone, because OpenTelemetry need not be installed.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace.export import SpanExportResult

PLAIN = {"http.method", "http.request.method", "http.route", "http.status_code", "http.response.status_code",
         "celery.action", "celery.state", "celery.task_name", "messaging.destination"}  # fmt: skip
"""Attributes that are sent as they are."""
ADDRESSES = {"http.url", "url.full"}
"""Attributes of which only scheme, host and port are sent: the path of a webhook is a secret, and the query of a lookup
contains values of records."""
NOT_TRACED = "healthz,readyz,metrics,static/"


class ListedAttributes(OTLPSpanExporter):
    """Sends spans without events, whose messages could contain anything, and without attributes that aren't listed."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return super().export([reduced(span) for span in spans])


def reduced(span: ReadableSpan) -> ReadableSpan:
    """PURE. The span with nothing in it but what may leave the process."""
    given = span.attributes or {}
    kept = {name: value for name, value in given.items() if name in PLAIN}
    kept |= {name: origin(str(value)) for name, value in given.items() if name in ADDRESSES}
    return ReadableSpan(
        span.name, span.context, span.parent, span.resource, kept, kind=span.kind, start_time=span.start_time,
        status=Status(span.status.status_code), end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )  # fmt: skip


def origin(url: str) -> str:
    """PURE. Scheme, host and port of a URL."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{re.split('[/?#]', rest)[0].rpartition('@')[2]}"


def start() -> TracerProvider:
    """Instruments Django, Celery and requests. The environment variables of OpenTelemetry say where spans go."""
    os.environ.setdefault("OTEL_PYTHON_DJANGO_EXCLUDED_URLS", NOT_TRACED)
    provider = TracerProvider(resource=Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", "dinmo")}))
    provider.add_span_processor(BatchSpanProcessor(ListedAttributes()))
    for instrumentor in (DjangoInstrumentor, CeleryInstrumentor, RequestsInstrumentor):
        instrumentor().instrument(tracer_provider=provider)
    return provider
