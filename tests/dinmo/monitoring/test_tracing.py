"""Spans reach a receiver over a real socket, and contain neither secrets nor values."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest
from django.test import Client
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from activations.tasks import sweep
from core import http
from core.errors import Unavailable
from dinmo.local import programs
from dinmo.local.machine import free_port
from dinmo.monitoring import spans, tracing
from tests.core.raw_server import serving
from tests.crash.workers import WORKSPACE, companies, running, wait_until
from tests.dinmo.monitoring.receiver import Receiver, receiving, traced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CANARY = "canary-5d1f"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiving(monkeypatch) as receiver:
        yield receiver


@pytest.fixture
def flush(receiver: Receiver) -> Iterator[Callable[[], bytes]]:
    """Begins to trace, and returns what sends all spans and returns what has arrived."""
    with traced() as provider:

        def flushed() -> bytes:
            provider.force_flush()
            return receiver.content()

        yield flushed


def names(received: bytes) -> set[str]:
    """The names of the spans that have arrived."""
    request = ExportTraceServiceRequest.FromString(received)
    return {span.name for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans}


@pytest.mark.django_db
def test_requests_tasks_and_requests_to_vendors_are_traced_without_secrets_and_values(
    flush: Callable[[], bytes],
) -> None:
    browser = Client(raise_request_exception=False)
    browser.get(f"/admin/login/?next=/{CANARY}/", headers={"Cookie": f"sessionid={CANARY}", "X-Key": CANARY})
    browser.get(f"/api/runs/1/?key={CANARY}")
    sweep.apply()
    headers = {"Authorization": f"Bearer {CANARY}"}
    with serving() as server:
        server.replies = [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Seen: " + CANARY.encode() + b"\r\n\r\n{}"]
        host = server.url.rstrip("/")
        address = server.url.replace("://", f"://user:{CANARY}@")
        http.send(
            http.session(), "POST", f"{address}services/{CANARY}?key={CANARY}", headers=headers, json={"a": CANARY}
        )
    with pytest.raises(Unavailable):
        http.send(http.session(), "GET", f"http://127.0.0.1:9/?q={CANARY}", headers=headers)
    received = flush()
    assert {"GET admin/login/", "run/activations.tasks.sweep", "POST", "GET"} <= names(received)
    assert host.encode() in received
    assert CANARY.encode() not in received


@pytest.mark.slow
def test_web_and_worker_processes_send_spans(receiver: Receiver, tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path, companies(3), WORKSPACE, environment=receiver.environment) as workers:
        workers.start(programs.web(port))
        workers.start(programs.worker())
        workers.request("All")
        wait_until(lambda: workers.state("All") == "succeeded", "the run")
        with urlopen(f"http://127.0.0.1:{port}/admin/login/") as page:
            assert page.status == 200
        wanted = {"GET admin/login/", "run/activations.tasks.execute", "POST"}
        wait_until(lambda: wanted <= names(receiver.content()), "the spans")


def test_nothing_is_traced_without_an_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    monkeypatch.setattr(spans, "start", lambda: pytest.fail("began to trace"))
    tracing.begin()


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.delattr(spans, "start")
    tracing.begin()
    assert "requirements-extras.txt" in caplog.text
