"""Health probes: what fails is named, and nothing else is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from dinmo.local import broker
from dinmo.monitoring import probes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_django import Settings

BY_ADDRESS = {"host": "10.1.2.3:8000"}
"""How an orchestrator calls a probe: by an address that is not among ALLOWED_HOSTS."""


@pytest.fixture
def running_broker(settings: Settings, tmp_path: Path) -> Iterator[None]:
    with broker.running(tmp_path, {}) as address:
        settings.CELERY_BROKER_URL = address
        yield


@pytest.fixture(autouse=True)
def _not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes._Migrated, "known", False)


def fail_to_connect(*_args: Any, **_options: Any) -> None:
    raise OperationalError("password authentication failed for user reader at 10.0.0.9")


def test_process_that_is_alive_says_so_without_database() -> None:
    # No database mark: any query would fail the test.
    response = Client().get("/healthz", headers=BY_ADDRESS)
    assert (response.status_code, response.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_installation_that_works_is_ready(running_broker: None) -> None:
    response = Client().get("/readyz", headers=BY_ADDRESS)
    assert (response.status_code, response.json()) == (200, {"ready": True, "failing": []})


@pytest.mark.django_db
def test_broker_that_is_down_is_named_without_its_address(settings: Settings) -> None:
    settings.CELERY_BROKER_URL = "redis://:hidden@127.0.0.1:1/0"
    response = Client().get("/readyz", headers=BY_ADDRESS)
    assert (response.status_code, response.json()) == (503, {"ready": False, "failing": ["broker"]})


@pytest.mark.django_db
def test_database_that_is_down_is_named_without_details(running_broker: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "cursor", fail_to_connect)
    response = Client().get("/readyz", headers=BY_ADDRESS)
    assert (response.status_code, response.json()) == (503, {"ready": False, "failing": ["database"]})


@pytest.mark.django_db
def test_migration_that_is_not_applied_is_noticed_until_it_is(running_broker: None) -> None:
    (latest,) = MigrationRecorder(connection).migration_qs.filter(app="activations").order_by("-name")[:1]
    latest.delete()
    assert Client().get("/readyz", headers=BY_ADDRESS).json()["failing"] == ["migrations"]
    MigrationRecorder(connection).record_applied("activations", latest.name)
    assert Client().get("/readyz", headers=BY_ADDRESS).json()["failing"] == []


def test_other_methods_are_not_probes(settings: Settings) -> None:
    assert Client().post("/healthz", headers=BY_ADDRESS).status_code == 400
