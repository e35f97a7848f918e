"""Runs the tests for every registered service, and checks each request against the vendor's documentation."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from destinations.contract import OpenGate
from destinations.registry import platforms, samples, services
from destinations.sandbox.http_server import Server
from destinations.sandbox.registry import sandboxes
from tests.destinations.contract.case import TOKEN, Case
from tests.destinations.contract.shapes import shapes_of, violations

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def servers() -> Iterator[dict[str, Server]]:
    with ExitStack() as stack:
        yield {
            slug: stack.enter_context(Server(sandboxes[platform.slug](TOKEN)))
            for slug, platform in platforms.all.items()
        }


@pytest.fixture(params=sorted(services.all))
def case(
    request: pytest.FixtureRequest,
    servers: dict[str, Server],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> Iterator[Case]:
    service, sample = services[request.param], samples[request.param]
    server = servers[service.platform.slug]
    sandbox = server.sandbox
    sandbox.switches.clear()
    sandbox.reset()
    sandbox.faults.clear()
    sandbox.latency_seconds = 0
    sandbox._switch({**sample.arrange})
    monkeypatch.setenv(service.platform.url_variable, server.url)
    caplog.set_level(logging.DEBUG)
    client = service.platform.client({"token": TOKEN, **sample.settings}, OpenGate(), 4)
    case = Case(service, sample, sandbox, client)
    yield case
    client.close()
    logged = caplog.get_records("call")
    case.assert_reveals_nothing(" ".join(f"{record.getMessage()} {record.exc_text or ''}" for record in logged))
    assert list(violations(shapes_of(service.platform.slug), sandbox.log)) == []
