"""An installation with an example of everything, in whose records a canary is planted."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from activations import digests
from activations.models import (
    Activation,
    AlertChannel,
    Attachment,
    Change,
    Drift,
    Exchange,
    FieldMapping,
    Generation,
    HeldValues,
    Run,
)
from core.errors import Unavailable
from destinations import vendor
from segments.models import ComputedField, DataModel, Segment, Source
from segments.sources.discovery import refresh_columns
from tests.dinmo.permissions.addresses import COMPUTED, GROUP, KEY, LABELS, WHERE
from tests.sequences import continue_after_chosen_ids

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "canary4711"
"""In every value of a record, and in nothing else."""


@pytest.fixture
def installation(one_of_each: Activation, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Activation:
    """Runs of every kind, with records that were accepted, refused, compared and attached. No vendor is reached."""
    settings.SOURCE_FILES_ROOT = tmp_path
    monkeypatch.setattr("activations.runs.dispatch.enqueue", lambda run_id: None)
    monkeypatch.setattr(vendor, "fields", lambda destination, now: [])
    monkeypatch.setattr("destinations.vendor.opened", _unreachable)
    _source(tmp_path)
    ComputedField.objects.create(
        pk=int(COMPUTED), model_id=1, name="size", type="text", position=900,
        definition=LABELS,
    )  # fmt: skip
    Segment.objects.update(where=WHERE)
    Group.objects.create(pk=int(GROUP), name="Ours")
    FieldMapping.objects.create(activation=one_of_each, column="name", target="name", position=1)
    Activation.objects.update(next_run_number=20)
    AlertChannel.objects.create(pk=1, name="Ops", kind="email", config={"recipients": "ops@example.com"}, events=[])
    every = IntervalSchedule.objects.create(every=1, period="days")
    PeriodicTask.objects.create(pk=1, name="prune", task="activations.tasks.prune", interval=every)
    _runs(one_of_each)
    continue_after_chosen_ids()
    return one_of_each


def _unreachable(*_: Any) -> Any:
    raise Unavailable("unreachable", "No vendor is reached in this test.")


def _source(root: Path) -> None:
    with sqlite3.connect(root / "shop.sqlite3") as database:
        database.execute("create table companies (id integer primary key, name text, domain text)")
        database.execute("insert into companies values (?, ?, ?)", (KEY, f"Ada {CANARY}", f"{CANARY}.example"))
    database.close()
    Source.objects.update(config={"path": "shop.sqlite3"})
    refresh_columns(DataModel.objects.get())
    DataModel.objects.update(display_column="name")


def _runs(activation: Activation) -> None:
    """The first run is the one that all addresses lead to. It has a record of each outcome."""
    now = timezone.now()
    Run.objects.update(
        planned=4, rejected=1, invalid=1, unknown=1, accepted=1, made_visible=1, hidden=1, started_at=now,
        finished_at=now, state=Run.State.COMPLETED_WITH_WARNINGS,
    )  # fmt: skip
    run = Run.objects.get(pk=1)
    exchange = Exchange.objects.create(
        id=UUID(int=1), run=run, method="PUT", url=f"https://vendor.example/{CANARY}?q={CANARY}", request=f'"{CANARY}"',
        status=400, response=f'"{CANARY}"', sent_at=now,
    )  # fmt: skip
    Change.objects.all().delete()
    for pk, outcome in enumerate(("rejected", "accepted", "invalid", "unknown"), start=1):
        _change(pk, run, outcome, exchange_id=exchange.pk)
    Attachment.objects.create(
        run=run, key=KEY, key_digest=digests.of_text(KEY), name=f"Ada {CANARY}", outcome="refused",
        code="refused", message=f"{CANARY} is refused", at=now,
    )  # fmt: skip
    planned = _run(activation, 2, state=Run.State.PLANNED, dry_run=True, live=True, updates=1)
    _held(_change(11, planned, "updates"))
    generation = Generation.objects.create(activation=activation, number=1, identity={})
    check = _run(
        activation,
        3,
        generation=generation,
        kind=Run.Kind.DRIFT,
        state=Run.State.SUCCEEDED,
        live=True,
        updates=1,
        skipped=1,
    )
    drifted = _change(21, check, "accepted")
    _held(drifted)
    _change(22, check, "skipped")
    Drift.objects.create(run=check, change=drifted, key_digest=drifted.key_digest, field="name", held_digest=1)
    _change(31, _run(activation, 4, state=Run.State.HELD, hold=[{"kind": "changes", "message": "Too many"}]), "")
    _change(41, _run(activation, 5, state=Run.State.SUCCEEDED, only_key=KEY), "rejected", exchange_id=exchange.pk)


def _run(activation: Activation, pk: int, **columns: Any) -> Run:
    now = timezone.now()
    given = {"number": pk, "trigger": "manual", "kind": "delta", "planned": 1, "started_at": now, "finished_at": now}
    return Run.objects.create(pk=pk, activation=activation, **{**given, **columns})


def _change(pk: int, run: Run, outcome: str, **columns: Any) -> Change:
    values = {"name": f"Ada {CANARY}"}
    settled = {"state": "settled", "settled_at": timezone.now()} if outcome else {"state": "pending"}
    return Change.objects.create(
        pk=pk, run=run, epoch=1, key=KEY, key_digest=digests.of_text(KEY), name=f"Ada {CANARY}", is_new=False,
        remote_id="remote-1", match_identity=f"{CANARY}.example", match_value=f"{CANARY}.example", values=values,
        changed=["name"], sent=["name"], outcome=outcome, field="name", code="refused" if outcome else "",
        message=f"“{CANARY}” is not valid" if outcome in ("rejected", "unknown") else "", **settled, **columns,
    )  # fmt: skip


def _held(change: Change) -> None:
    HeldValues.objects.create(change=change, run=change.run, fields={"name": {"held": f"Bo {CANARY}"}})
