"""A short story of runs that send a few rows to a vendor in memory. The fixtures `story` and `begin` start one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from activations.execute import execute
from activations.models import Activation, FieldMapping, Run
from activations.runs import requests
from activations.runs.lease import Lease
from tests.activations.vendor import MATCH, Killed, Vendor

if TYPE_CHECKING:
    from tests.activations.environment import Environment


class Story:
    """A source, a vendor in memory, and an activation with a ← x (kept when empty) and b ← y (cleared when empty)."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.vendor: Vendor = environment.platform.vendor
        self.activation = Activation.objects.create(
            name="Things",
            model=environment.model,
            destination=environment.destination,
            match_column="match",
            match_field=MATCH,
            hold_first_creates=False,
            hold_empty=False,
        )
        FieldMapping(activation=self.activation, column="x", target="a", position=0).save()
        FieldMapping(activation=self.activation, column="y", target="b", position=1, when_empty="clear").save()

    def rows(self, *rows: tuple[Any, ...]) -> None:
        """Replaces the source with rows of (id, match, x, y)."""
        self.environment.fill_source([dict(zip(("id", "match", "x", "y"), row, strict=True), z=None) for row in rows])

    def run(self, trigger: str = "schedule", **options: Any) -> Run:
        return self.resume(requests.request(Activation.objects.get(), trigger, enqueue=False, **options).pk)

    def add_mapping(self, column: str, target: str, backfill: str) -> None:
        """Maps one more attribute, and sets what the activation chooses for mappings that are added later."""
        Activation.objects.update(backfill=backfill)
        FieldMapping(activation=self.activation, column=column, target=target).save()

    def at_vendor(self, *attributes: str) -> dict[str, tuple[Any, ...]]:
        """The values of these attributes by match; without any, of a and b."""
        names = attributes or ("a", "b")
        return {str(record[MATCH]): tuple(record[name] for name in names) for record in self.vendor.records.values()}

    def sent(self) -> list[dict[str, Any]]:
        """The values of the requests so far. Clears the log."""
        values = [dict(request.values) for request in self.vendor.requests]
        self.vendor.requests.clear()
        return values

    def run_until_killed(self) -> int:
        """Starts a scheduled run whose worker is killed and whose lease has expired. Returns the run's ID."""
        requested = requests.request(Activation.objects.get(), "schedule", enqueue=False)
        with pytest.raises(Killed):
            execute(requested.pk)
        Run.objects.filter(pk=requested.pk).update(lease_until=datetime.now(UTC) - timedelta(minutes=1))
        return requested.pk

    def resume(self, run_id: int) -> Run:
        while execute(run_id):
            pass
        return Run.objects.get(pk=run_id)


def die_in(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Kills the worker at the fenced step that moves the run into this state."""
    fenced = Lease.fenced

    def mortal(lease: Lease, **changes: Any) -> Any:
        if changes.get("state") == name:
            monkeypatch.setattr(Lease, "fenced", fenced)
            raise Killed
        return fenced(lease, **changes)

    monkeypatch.setattr(Lease, "fenced", mortal)
