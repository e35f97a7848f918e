"""The cases that run in fresh processes, by name. Each returns `Meter.result` and counts of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
from django.db import connection
from django.db.backends.signals import connection_created
from django.utils import timezone

from activations import tasks
from activations.management.commands.activate import summary, wait
from activations.models import Activation, Bundle, Change, Generation, Record, Run
from activations.planning.begin import conclude
from activations.planning.generations import enter
from activations.planning.layout import layout, prepare_fields, store_first_use
from activations.planning.plan import Planner
from activations.runs import requests
from activations.runs.lease import claim
from activations.setup import spec_from_db
from activations.storage import bulk, bundles, fetch
from activations.vendor_session import check_workspace, open_context
from destinations.contract import Limits
from destinations.registry import services
from tests.bench import reading_cases
from tests.bench.bare import READERS
from tests.bench.pages import cases as page_cases
from tests.bench.peers import look_up_each
from tests.bench.setup import data
from tests.bench.setup.meter import Meter

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

UNLIMITED = 100_000.0
_ACCEPTED = {
    "remote_id": "00000000-0000-0000-0000-000000000000",
    "tried": "",
    "tried_digest": 0,
    "tried_match": 0,
    "attempts": 0,
    "retry_run": 0,
}
DIRECT = [
    (fetch, "fetch_frame"),
    (fetch, "fetch_numbers"),
    (bulk, "insert"),
    (bulk, "insert_numbers_and_bytes"),
    (bulk, "insert_frame"),
]
"""The functions that bypass Django and use the driver directly on PostgreSQL."""


class Statements:
    """A context manager that counts the database statements of its block, in all threads."""

    def __init__(self) -> None:
        self.number = 0

    def __enter__(self) -> Statements:
        direct = DIRECT if connection.vendor == "postgresql" else []
        self.originals = [(module, name, getattr(module, name)) for module, name in direct]
        for module, name, work in self.originals:
            setattr(module, name, self._counted(work))
        connection.execute_wrappers.append(self._execute)
        connection_created.connect(self._connected)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for module, name, work in self.originals:
            setattr(module, name, work)
        connection.execute_wrappers.remove(self._execute)
        connection_created.disconnect(self._connected)

    def _connected(self, connection: Any, **_: Any) -> None:
        connection.execute_wrappers.append(self._execute)

    def _execute(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self.number += 1
        return execute(sql, params, many, context)

    def _counted(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any) -> Any:
            self.number += 1
            return work(*args)

        return counted


def idle() -> dict[str, Any]:
    """A worker that has loaded everything and has done nothing."""
    with Meter() as meter:
        tasks.load()
    return meter.result()


def unguarded(name: str) -> Activation:
    """The activation without guards: a measurement may change all records."""
    Activation.objects.filter(name=name).update(
        hold_empty=False, hold_size_percent=None, hold_change_percent=None, hold_first_creates=False
    )
    return Activation.objects.get(name=name)


def activate(name: str, unlimited: bool = False) -> dict[str, Any]:
    """One whole run in this process, the same as `activate NAME --wait`.

    Args:
        unlimited: ignores the rate limits that the vendor documents.
    """
    tasks.load()
    activation = unguarded(name)
    service = services[activation.destination.service]
    if unlimited:
        limits = service.limits
        type(service).limits = Limits(UNLIMITED, UNLIMITED, shared=limits.shared, find_batch=limits.find_batch)
    with Meter() as meter:
        run = wait(requests.request(activation, Run.Trigger.SCHEDULE, enqueue=False))
    return meter.result(**summary(run))


def repeat(name: str, times: int) -> dict[str, Any]:
    """Further runs after a first one, in the same process, so that nothing is loaded for the first time."""
    activate(name)
    with Meter() as meter:
        for _ in range(times):
            activate(name)
    return meter.result(times=times)


def plan(name: str) -> dict[str, Any]:
    """Planning alone with a real context, from loading the baseline to committing the changes."""
    tasks.load()
    run = requests.request(unguarded(name), Run.Trigger.SCHEDULE, enqueue=False)
    lease = claim(run.pk)
    assert lease is not None
    with open_context(run) as context:
        workspace = check_workspace(context, timezone.now())
        lease.update(state=Run.State.PLANNING)
        generation = enter(run, lease, spec_from_db.spec(context.activation).identity(workspace.id), workspace.name)
        prepare_fields(context)
        store_first_use(context, lease)
        planned = layout(context, timezone.now())
        run.refresh_from_db()
        with Meter() as meter, Statements() as statements:
            planner = Planner(context, lease, planned, generation, timezone.now())
            conclude(planner, planner.run(), {})
    run.refresh_from_db()
    codes = list(Change.objects.filter(run=run).exclude(code="").values_list("code", flat=True))
    lease.release()
    return meter.result(
        counts=run.counts(),
        statements=statements.number,
        duplicates=codes.count("duplicate_key"),
        keyless=codes.count("key_empty"),
    )


def accept() -> dict[str, Any]:
    """Settles the last run as if the vendor had accepted every change. Measures the bytes per baseline record."""
    run = Run.objects.latest("pk")
    with Meter() as meter, connection.cursor() as cursor:
        for changes in bundles.read(run):
            _accept(run, changes)
        Bundle.objects.all().delete()
        Change.objects.all().delete()
        Run.objects.filter(pk=run.pk).update(state=Run.State.SUCCEEDED)
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "VACUUM")
        cursor.execute("CHECKPOINT" if connection.vendor == "postgresql" else "PRAGMA wal_checkpoint(TRUNCATE)")
    return meter.result(bytes_per_record=_table_bytes() / max(1, Record.objects.count()))


def _accept(run: Run, changes: pl.DataFrame) -> None:
    columns = changes.select("key", "key_digest", "row_digest", "match_digest", "field_digests")
    fixed = {"generation_id": run.generation_id, "accepted_at": f"{timezone.now():%Y-%m-%d %H:%M:%S.%f}", **_ACCEPTED}
    bulk.insert_frame(Record, columns.with_columns(**{name: pl.lit(value) for name, value in fixed.items()}))


def _table_bytes() -> int:
    """The size of the baseline table in bytes, including indexes."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_total_relation_size('activations_record')")
        else:
            cursor.execute(
                "SELECT sum(pgsize) FROM dbstat WHERE name IN (SELECT name FROM sqlite_schema WHERE tbl_name = %s)",
                ["activations_record"],
            )
        return int(cursor.fetchone()[0])


def read(kind: str, where: str, table: str) -> dict[str, Any]:
    """The bare read of the same rows."""
    with Meter() as meter:
        size = READERS[kind](where, table)
    return meter.result(size=size)


def orm(path: str, table: str, sample: int) -> dict[str, Any]:
    """One lookup per row through the ORM, for a sample of the rows."""
    belongs_to = Generation.objects.get()
    digests = list(
        belongs_to.records.exclude(accepted_at=None).order_by("key").values_list("key_digest", flat=True)[:sample]
    )
    with Meter() as meter:
        differing = look_up_each(path, table, belongs_to, digests)
    return meter.result(rows=len(digests), differing=differing)


def write_source(kind: str, parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Writes tables or files of companies.

    Args:
        parts: one for each table, with `where` (a path or a server), `table` and the arguments of `Companies`.
    """
    with Meter() as meter:
        for part in parts:
            data.WRITERS[kind](part["where"], part["table"], data.Companies(**part["companies"]))
    return meter.result()


CASES: dict[str, Callable[..., dict[str, Any]]] = {
    "idle": idle,
    "activate": activate,
    "repeat": repeat,
    "plan": plan,
    "accept": accept,
    "read": read,
    "orm": orm,
    "write_source": write_source,
    **reading_cases.CASES,
    **page_cases.CASES,
}
