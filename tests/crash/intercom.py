"""An installation with the simulated Intercom, for crash tests."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from destinations.sandbox.http_server import Server
from destinations.sandbox.registry import sandboxes
from tests.crash.installation import Installation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def served(home: Path) -> Iterator[Installation]:
    """An installation whose Intercom answers slowly enough to be interrupted, and limits no rate."""
    with Server(sandboxes["intercom"]("t")) as server:
        server.sandbox.switches.update(rate_limit_per_window=0)
        server.sandbox.latency_seconds = 0.05
        installation = Installation(home, server.sandbox, server.url)
        installation.environment["INTERCOM_API_URL"] = server.url
        yield installation


def links(installation: Installation) -> Counter[tuple[str, str]]:
    """How often each contact was attached to each company, by Intercom's IDs."""
    posts = (entry for entry in installation.sandbox.log if entry["method"] == "POST" and entry["status"] == 200)
    return Counter(
        (entry["path"].split("/")[2], entry["body"]["id"])
        for entry in posts
        if entry["path"].startswith("/contacts/") and entry["path"].endswith("/companies")
    )
