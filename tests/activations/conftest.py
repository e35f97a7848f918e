"""A shop database as the source, the vendors' simulators as destinations, and activations between them."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from activations.execute import execute
from activations.models import Activation, FieldMapping, Run
from activations.runs import requests
from destinations.models import Connection, Destination
from destinations.sandbox.http_server import Server
from destinations.sandbox.registry import sandboxes
from segments.models import DataModel, Segment, Source
from segments.sources.discovery import refresh_columns
from tests.activations.environment import TRIES, Environment
from tests.activations.memory_story import Story
from tests.activations.vendor import Movable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from destinations.sandbox.base import Sandbox

TOKEN = "sandbox-token"


class Shop:
    """A SQLite file with a table of companies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run(
            "create table companies (id integer primary key, name text, domain text, description text, plan text, "
            "seats integer)"
        )

    def run(self, sql: str, *rows: tuple[Any, ...]) -> None:
        with sqlite3.connect(self.path) as connection:
            if rows:
                connection.executemany(sql, rows)
            else:
                connection.execute(sql)
        connection.close()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with sqlite3.connect(self.path) as connection:
            found = connection.execute(sql).fetchall()
        connection.close()
        return found

    def add(self, *rows: tuple[Any, ...]) -> None:
        """Inserts rows of (id, name, domain, description, plan, seats)."""
        self.run("insert into companies values (?, ?, ?, ?, ?, ?)", *rows)

    def fill(self, count: int) -> None:
        self.add(*((n, f"Company {n}", f"company{n}.com", f"No. {n}", "pro", n) for n in range(1, count + 1)))

    def set(self, key: int, column: str, value: Any) -> None:
        self.run(f"update companies set {column} = ? where id = ?", (value, key))


@pytest.fixture
def staff(transactional_db: None) -> Client:
    """The browser of a superuser."""
    browser = Client()
    browser.force_login(User.objects.create_superuser("ops"))
    return browser


@pytest.fixture
def shop(tmp_path: Path, settings: Any) -> Shop:
    settings.SOURCE_FILES_ROOT = tmp_path
    return Shop(tmp_path / "shop.sqlite3")


@pytest.fixture
def companies(shop: Shop, transactional_db: None) -> DataModel:
    source = Source.objects.create(name="Shop", engine="sqlite", config={"path": "shop.sqlite3"})
    model = DataModel.objects.create(name="Companies", source=source, table="companies", primary_key="id")
    refresh_columns(model)
    return model


def serve(slug: str, variable: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with Server(sandboxes[slug](TOKEN)) as server:
        monkeypatch.setenv(variable, server.url)
        yield server.sandbox


@pytest.fixture
def attio(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    for sandbox in serve("attio", "ATTIO_API_URL", monkeypatch):
        sandbox.switches.update(reads_per_second=0, writes_per_second=0)
        yield sandbox


@pytest.fixture
def intercom(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    for sandbox in serve("intercom", "INTERCOM_API_URL", monkeypatch):
        sandbox.switches.update(rate_limit_per_window=0)
        yield sandbox


@pytest.fixture(autouse=True)
def fast_services(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulators of these tests have no rate limit, so ours would only slow the tests down."""
    monkeypatch.setattr("destinations.pacing.SHARE_OF_LIMIT", 100.0)


def destination(platform: str, service: str, **config: Any) -> Destination:
    connection = Connection.objects.create(
        name=f"Our {platform}", platform=platform, config=config, secrets={"token": TOKEN}
    )
    return Destination.objects.create(name=f"{platform} companies", connection=connection, service=service)


def map_fields(activation: Activation, *fields: tuple[str, str] | dict[str, Any]) -> Activation:
    """Adds mappings, each (column, attribute) or the keyword arguments of a FieldMapping."""
    for position, field in enumerate(fields):
        given = field if isinstance(field, dict) else {"column": field[0], "target": field[1]}
        FieldMapping(activation=activation, position=position, **given).save()
    return activation


@pytest.fixture
def to_attio(companies: DataModel, attio: Sandbox) -> Activation:
    activation = Activation.objects.create(
        name="To Attio",
        model=companies,
        destination=destination("attio", "attio.companies"),
        match_column="domain",
        match_field="domains",
        hold_first_creates=False,
    )
    return map_fields(activation, ("name", "name"), ("description", "description"))


@pytest.fixture
def to_intercom(companies: DataModel, intercom: Sandbox) -> Activation:
    activation = Activation.objects.create(
        name="To Intercom",
        model=companies,
        destination=destination("intercom", "intercom.companies", region="us"),
        mode="upsert",
        match_column="id",
        match_field="company_id",
        hold_first_creates=False,
    )
    return map_fields(activation, ("name", "name"), ("plan", "plan"))


@pytest.fixture
def begin(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[type[Movable]], Story]:
    settings.SOURCE_FILES_ROOT = tmp_path
    monkeypatch.setattr("activations.delivery.retry.ATTEMPTS", TRIES)
    monkeypatch.setattr("activations.delivery.retry.BACKOFF_SECONDS", 0.0)
    return lambda service: Story(Environment(tmp_path / "rows.sqlite3", service, monkeypatch))


@pytest.fixture
def story(begin: Callable[[type[Movable]], Story]) -> Story:
    return begin(Movable)


def run(activation: Activation, trigger: str = "schedule", **kwargs: Any) -> Run:
    """Runs the activation to its end in this process."""
    requested = requests.request(activation, trigger, enqueue=False, **kwargs)
    while execute(requested.pk):
        pass
    return Run.objects.get(pk=requested.pk)


def writes(sandbox: Sandbox) -> list[dict[str, Any]]:
    """The requests that may have changed a record. Clears the log."""
    entries = [entry for entry in sandbox.log if entry["method"] != "GET" and not entry["path"].endswith("/query")]
    sandbox.log.clear()
    return entries


def segment(model: DataModel, where: dict[str, Any]) -> Segment:
    return Segment.objects.create(name="Some", model=model, where=where)
