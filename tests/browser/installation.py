"""An installation in use: a row of everything, with runs that succeeded, were refused and failed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.contrib.auth.models import Group
from django.utils import timezone

from activations import tasks
from activations.models import Activation, FieldMapping, Run, Schedule, Warning
from activations.runs import requests
from activations.scheduling import periodic_tasks
from destinations import vendor
from destinations.models import Connection, Destination
from segments.models import ComputedField, DataModel, Segment, SegmentSize, Source
from segments.sources.discovery import refresh_columns

if TYPE_CHECKING:
    from collections.abc import Callable

LONG = "Paying companies of all countries in which we have had an office since the beginning"
"""A name that has to be cut or wrapped somewhere."""


def install(shop: str, token: str, execute: Callable[[int], None] = tasks.execute) -> Activation:
    """Creates the rows. Both vendors must be reachable.

    Args:
        shop: the name of a SQLite file with the table `companies`.
    """
    now = timezone.now()
    source = Source.objects.create(name="Shop", engine="sqlite", config={"path": shop})
    source.record_health(now, None)
    model = DataModel.objects.create(name="Companies", source=source, table="companies", primary_key="id")
    refresh_columns(model)
    ComputedField.objects.create(
        model=model,
        name="size",
        type="text",
        position=100_000,
        definition={"labels": [{"label": "Large", "where": {"all": [BIG]}}], "otherwise": "Small"},
    )
    segment = Segment.objects.create(name="French companies", model=model, where={"all": [FRENCH]}, tags=["eu"])
    for days in range(5):
        SegmentSize.objects.create(segment=segment, day=now.date() - timedelta(days=days), rows=4 + days)
    activation = _activation(model, _destination("attio", "attio.companies", token))
    _destination("intercom", "intercom.companies", token)
    Activation.objects.create(
        name=LONG,
        segment=segment,
        destination=activation.destination,
        match_column="domain",
        match_field="domains",
        paused=True,
    )
    for dry_run in (True, False):
        execute(requests.request(activation, Run.Trigger.MANUAL, dry_run=dry_run, enqueue=False).pk)
    _failed(activation)
    Group.objects.create(name="Marketing")
    periodic_tasks.sync_all(activation)
    return activation


def _destination(platform: str, service: str, token: str) -> Destination:
    connection = Connection.objects.create(
        name=f"Our {platform.title()}", platform=platform, config={}, secrets={"token": token}
    )
    vendor.check(connection, timezone.now())
    return Destination.objects.create(name=f"{platform.title()} companies", connection=connection, service=service)


def _activation(model: DataModel, destination: Destination) -> Activation:
    activation = Activation.objects.create(
        name="Companies to Attio", model=model, destination=destination, match_column="domain", match_field="domains"
    )
    for position, (column, target) in enumerate([("name", "name"), ("country", "description")]):
        FieldMapping.objects.create(activation=activation, column=column, target=target, position=position)
    Schedule.objects.create(activation=activation, kind="interval", every=15, unit="minutes")
    return activation


def _failed(activation: Activation) -> None:
    """A run that failed, with its open warning."""
    now = timezone.now()
    run = Run.objects.create(
        activation=activation,
        number=99,
        trigger=Run.Trigger.SCHEDULE,
        kind=Run.Kind.DELTA,
        state=Run.State.FAILED,
        error_code="unauthorized",
        error_message="Attio refused the token. Enter a new one on the page of the connection.",
        started_at=now,
        finished_at=now,
    )
    Warning.objects.create(
        activation=activation,
        run=run,
        last_run=run,
        kind="empty_segment",
        message="The segment is empty.",
        opened_at=now,
    )


FRENCH = {"field": "country", "is": "equals", "value": "FR"}
BIG = {"field": "seats", "is": "at_least", "value": 5}
