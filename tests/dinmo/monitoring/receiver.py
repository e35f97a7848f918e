"""Receives the spans of this process over a real socket, as a collector does."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

from django.conf import settings
from django.test import override_settings
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor

from dinmo.monitoring import spans

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest
    from opentelemetry.sdk.trace import TracerProvider


class Receiver(HTTPServer):
    """Keeps what arrives."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def environment(self) -> dict[str, str]:
        """What makes a process send its spans here."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.server_address[1]}",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }

    def content(self) -> bytes:
        """Everything that has arrived."""
        return b"".join(self.received)


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append(body)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Writes no log."""


@contextmanager
def receiving(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver that is listening, to which this process is configured to send its spans."""
    with Receiver() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@contextmanager
def traced() -> Iterator[TracerProvider]:
    """Traces this process during the block."""
    with override_settings(MIDDLEWARE=[*settings.MIDDLEWARE]):
        provider = spans.start()
        try:
            yield provider
        finally:
            for instrumentor in (DjangoInstrumentor, CeleryInstrumentor, RequestsInstrumentor):
                instrumentor().uninstrument()
            provider.shutdown()
