"""A PostgreSQL server that stops: three failed runs, a pause that names the source, and one run once it is back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest
from django.utils import timezone

from activations import tasks
from activations.alerts.state import state_of
from activations.models import Activation, Run, Schedule, SystemPause
from activations.runs import dispatch
from dinmo.local.machine import free_port
from segments.models import DataModel, Source
from segments.sources.discovery import refresh_columns
from tests.activations.conftest import destination, map_fields, run
from tests.activations.scheduling.clock import make_due
from tests.chaos.postgres import Cluster, binaries, cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from destinations.sandbox.base import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
COMPANIES = (
    "create table companies (id int primary key, name text, domain text)",
    "insert into companies select n, 'Company ' || n, 'company' || n || '.com' from generate_series(1, 5) as n",
)


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    """Our own PostgreSQL server, which may be stopped."""
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed here")
    with cluster(free_port()) as server:
        execute(server, *COMPANIES)
        yield server


def execute(server: Cluster, *statements: str) -> None:
    address = f"postgres://postgres@127.0.0.1:{server.port}/postgres"
    with psycopg.connect(address, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@pytest.fixture
def activation(server: Cluster, attio: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Activation:
    monkeypatch.setattr(dispatch, "enqueue", lambda run_id: None)
    monkeypatch.setattr(dispatch, "send", lambda task, *arguments, name: tasks.check_pause(*arguments))
    place = {"host": "127.0.0.1", "port": server.port, "database": "postgres"}
    source = Source.objects.create(
        name="Warehouse", engine="postgres", config={**place, "user": "postgres", "sslmode": "disable"}
    )
    model = DataModel.objects.create(name="Companies", source=source, table="public.companies", primary_key="id")
    refresh_columns(model)
    activation = Activation.objects.create(
        name="To Attio",
        model=model,
        destination=destination("attio", "attio.companies"),
        match_column="domain",
        match_field="domains",
        hold_first_creates=False,
    )
    Schedule.objects.create(activation=activation, every=15)
    return map_fields(activation, ("name", "name"))


def sweep_later() -> None:
    """An hour passes, and the sweep starts."""
    for pause in SystemPause.objects.all():
        SystemPause.objects.filter(pk=pause.pk).update(next_check_at=pause.next_check_at - timedelta(hours=1))
    Run.objects.exclude(finished_at=None).update(finished_at=timezone.now() - timedelta(hours=1))
    tasks.sweep()


def test_stopped_server_pauses_after_three_runs_and_one_run_sends_everything_once_it_is_back(
    server: Cluster, activation: Activation
) -> None:
    assert run(activation).accepted == 5
    execute(server, "update companies set name = name || ' Ltd'")
    server.stop()
    states = [(run(activation).state, SystemPause.objects.exists()) for _ in range(3)]
    assert states == [("failed", False), ("failed", False), ("failed", True)]
    state = state_of(Activation.objects.get(), timezone.now())
    assert state.label == "Paused by the system"
    assert state.causes[0].startswith("The source “Warehouse” is not working. The database at 127.0.0.1, port")

    runs = Run.objects.count()
    make_due(Schedule.objects.get())
    tasks.fire(Schedule.objects.get().pk)
    sweep_later()
    sweep_later()
    assert (Run.objects.count(), SystemPause.objects.get().checks) == (runs, 2)

    assert server.start()
    before = Schedule.objects.get().settled_until
    sweep_later()
    assert not SystemPause.objects.exists()
    assert Schedule.objects.get().settled_until > before
    sweep_later()
    (started,) = Run.objects.filter(state=Run.State.QUEUED)
    assert started.trigger == "catch_up"
    completed = run(activation)
    assert (completed.pk, completed.state, completed.accepted) == (started.pk, "succeeded", 5)
