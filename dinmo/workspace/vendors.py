"""Verifies a workspace file with vendors and sources: that credentials work, and which workspace a token belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import Problem
from destinations import vendor
from destinations.models import Connection
from segments.models import Source
from segments.sources import discovery

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from dinmo.workspace import entities
    from dinmo.workspace.plan import Step


def workspace_of(connection: entities.Connection) -> str:
    """The vendor's ID of the connection's workspace: the stored one, or else the vendor's answer; "" if it has none."""
    if connection.workspace:
        return connection.workspace
    row = Connection(name=connection.name, platform=connection.platform, config=dict(connection.config))
    row.secrets = dict(connection.secrets)
    try:
        return vendor.probe(row).id
    except Problem:
        return ""


def connection_reports(steps: Iterable[Step], now: datetime) -> Iterator[str]:
    """Tests each source and connection that was just written, stores the result, and reports it in a line."""
    for step in steps:
        test = _TESTS.get(step.entity.noun)
        if test is None:
            continue
        subject = f"{step.entity.noun} {step.entity.name}"
        try:
            yield f"  {subject}: works. {test(step.entity.name, now)}"
        except Problem as problem:
            yield f"! {subject}: saved, but not working. {problem.message}"


def _test_source(name: str, now: datetime) -> str:
    return discovery.check(Source.objects.get(name=name), now)


def _test_connection(name: str, now: datetime) -> str:
    return f"Connected to {vendor.check(Connection.objects.get(name=name), now).name}."


_TESTS = {"source": _test_source, "connection": _test_connection}
