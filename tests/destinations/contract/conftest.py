"""Runs the conformance suite for every registered service, and compares requests with the vendor's documentation."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from destinations.conformance.suite import Suite, served
from destinations.registry import samples, services
from destinations.sandbox.registry import sandboxes

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def suites() -> Iterator[dict[str, Suite]]:
    """The suite of each registered service by slug."""
    with ExitStack() as stack:
        servers = {slug: stack.enter_context(served(sandbox)) for slug, sandbox in sandboxes.all.items()}
        yield {
            slug: Suite(service, samples[slug], servers[service.platform.slug])
            for slug, service in services.all.items()
        }
