"""Fixtures of the whole application: browsers of different people."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from activations.models import Activation, Change, Run, Warning
from destinations.models import Connection, Destination
from segments.models import DataModel, Segment, Source
from tests.sequences import continue_after_chosen_ids


@pytest.fixture
def staff(db: None) -> Client:
    """The browser of a superuser."""
    browser = Client(raise_request_exception=False)
    browser.force_login(User.objects.create_superuser("ops"))
    return browser


@pytest.fixture
def one_of_each(db: None) -> Activation:
    """A row of every model that has screens, each with ID 1."""
    source = Source.objects.create(
        pk=1, name="Shop", engine="sqlite", config={"path": "x"}, secrets={"password": "hunter22"}
    )
    model = DataModel.objects.create(pk=1, name="Companies", source=source, table="companies", primary_key="id")
    Segment.objects.create(pk=1, name="French", model=model, tags=["eu"])
    connection = Connection.objects.create(
        pk=1, name="Our Attio", platform="attio", secrets={"token": "token-of-attio"}
    )
    destination = Destination.objects.create(pk=1, name="Attio", connection=connection, service="attio.companies")
    activation = Activation.objects.create(
        pk=1, name="Away", model=model, destination=destination, match_column="domain", match_field="domains"
    )
    run = Run.objects.create(pk=1, activation=activation, number=1, trigger="manual", kind="full", state="failed")
    Change.objects.create(pk=1, run=run, epoch=1, key="7", key_digest=7, is_new=True, outcome="rejected")
    Warning.objects.create(
        pk=1,
        activation=activation,
        run=run,
        last_run=run,
        kind="empty_segment",
        message="No rows",
        opened_at=timezone.now(),
    )
    continue_after_chosen_ids()
    return activation
