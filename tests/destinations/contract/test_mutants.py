"""The suite itself: it finds every mistake that is planted in a service."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from destinations.conformance.suite import Suite, served
from destinations.registry import samples, services
from destinations.sandbox.registry import sandboxes
from tests.destinations.contract.mutants import ALL, MISTAKES
from tests.plugins.registered import registered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from destinations.sandbox.http_server import Server


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Server]]:
    with registered(), ExitStack() as stack:
        yield {slug: stack.enter_context(served(sandbox)) for slug, sandbox in sandboxes.all.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", MISTAKES)
def test_planted_mistake_is_found(servers: dict[str, Server], name: str) -> None:
    slug, plant = MISTAKES[name]
    service = services[slug]
    suite = Suite(plant(service), samples[slug], servers[service.platform.slug])
    assert next(suite.findings(), None)


@pytest.mark.parametrize("slug", ALL)
def test_service_without_mistakes_passes(servers: dict[str, Server], slug: str) -> None:
    service = services[slug]
    assert list(Suite(service, samples[slug], servers[service.platform.slug]).findings()) == []
