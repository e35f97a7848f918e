"""Planted secrets show up nowhere, and planted personal data in no log, message or subject, whatever goes wrong."""

from __future__ import annotations

import logging
from contextlib import suppress
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from django.core import mail
from django.core.management import call_command
from kombu.messaging import Producer

from activations import tasks
from activations.alerts import recipients
from activations.models import Activation, AlertChannel, Run
from activations.runs import requests
from activations.warning_kinds import EVENTS
from destinations.models import Connection
from destinations.sandbox.http_server import Server
from destinations.sandbox.registry import sandboxes
from segments.models import DataModel, Source
from tests.browser.installation import install
from tests.dinmo import attacks
from tests.dinmo.security.canaries import (
    EMAIL,
    HOOK,
    PASSWORD,
    PERSON,
    PERSONAL,
    SECRETS,
    SIGNING,
    TOKEN,
    Collected,
    Vendor,
    collected,
    write_sources,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from django.test import Client

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, reset_sequences=True)]


@pytest.fixture(params=["json", "text"])
def found(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Collected]:
    with collected(monkeypatch, request.param) as found:
        yield found


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    sandbox = sandboxes["attio"](TOKEN)
    vendor = Vendor(sandbox)
    with Server(sandbox, respond=vendor.respond) as server, Server(sandboxes["intercom"](TOKEN)) as intercom:
        monkeypatch.setenv("ATTIO_API_URL", server.url)
        monkeypatch.setenv("INTERCOM_API_URL", intercom.url)
        monkeypatch.setattr("activations.delivery.retry.ATTEMPTS", 2)
        monkeypatch.setattr("activations.delivery.retry.BACKOFF_SECONDS", 0.0)
        monkeypatch.setattr("destinations.pacing.SHARE_OF_LIMIT", 100.0)
        yield vendor


@pytest.fixture
def activation(vendor: Vendor, found: Collected, tmp_path: Path, settings: Any) -> Activation:
    settings.SOURCE_FILES_ROOT, settings.ALERT_GROUP_SECONDS = tmp_path, 0
    write_sources(tmp_path)
    activation = install("shop.sqlite3", TOKEN)
    recipients.set_workspace_recipients(["ops@example.com"])
    down = {"host": "127.0.0.1", "port": 1, "database": "d", "user": "u", "schema": "public"}
    Source.objects.create(name="Down", engine="postgres", config=down, secrets={"password": PASSWORD})
    Source.objects.create(name="People", engine="csv", config={"path": "people.csv"})
    hook = {"url": f"http://127.0.0.1:1/{HOOK}", "secret": SIGNING}
    AlertChannel.objects.create(name="Hook", kind="webhook", secrets=hook, events=list(EVENTS))
    return activation


def run(activation: Activation) -> Run:
    requested = requests.request(Activation.objects.get(pk=activation.pk), Run.Trigger.MANUAL, enqueue=True, full=True)
    tasks.execute(requested.pk)
    requested.refresh_from_db()
    return requested


def leaks(places: dict[str, str], canaries: tuple[str, ...]) -> list[str]:
    """Where a canary was found, with what surrounds it."""
    return [
        f"{place}: …{text[max(0, at - 200) : at + 60]}…"
        for place, text in places.items()
        for canary in canaries
        if (at := text.lower().find(canary.lower())) >= 0
    ]


def test_a_planted_leak_is_found(activation: Activation, found: Collected, staff: Client) -> None:
    logging.getLogger("planted").info("Sent %s", TOKEN.upper())
    Producer(None, auto_declare=False).publish({"key": PERSON})
    found.provider.get_tracer("planted").start_span(PASSWORD).end()
    mail.send_mail(EMAIL, HOOK, None, ["ops@example.com"])
    assert {leak.partition(":")[0] for leak in leaks(found.places(), (*SECRETS, *PERSONAL))} == {
        "log",
        "traces",
        "broker",
        "mails",
    }
    Activation.objects.filter(pk=activation.pk).update(name=SIGNING)
    assert leaks(pages(staff), SECRETS)


def test_vendor_that_repeats_everything_in_its_errors(
    vendor: Vendor, activation: Activation, found: Collected, staff: Client
) -> None:
    states = []
    for status in (500, 400, 401, 429, 302):
        vendor.status = status
        states.append(run(activation).state)
        tasks.send_alerts()
    assert vendor.echoed
    assert mail.outbox
    assert Run.State.FAILED in states
    places = found.places()
    assert "Run " in places["log"] and places["broker"] and "POST" in places["traces"]  # noqa: PT018
    assert leaks(places, SECRETS) == []
    assert leaks({name: places[name] for name in ("log", "traces", "broker")}, PERSONAL) == []
    assert leaks({"subjects": "\n".join(str(each.subject) for each in mail.outbox)}, PERSONAL) == []
    assert leaks(pages(staff), SECRETS) == []
    assert leaks(commands(activation), SECRETS) == []
    assert leaks(found.places(), SECRETS) == []


def test_sources_that_are_down_or_refuse_a_query(activation: Activation, found: Collected, staff: Client) -> None:
    down, people = Source.objects.get(name="Down"), Source.objects.get(name="People")
    asked = [
        (down, {"table": "x"}),
        (people, {"sql": "select cast(age as integer) as n from people"}),
        (people, {"sql": "select error(email) from people"}),
        (people, {"sql": f"select '{EMAIL}' from nothing"}),
    ]
    answers = {
        f"{place} {source.name} {name}": post(staff, f"/api/sources/{source.pk}/{name}/", body)
        for place, (source, body) in enumerate(asked)
        for name in ("rows", "columns")
    }
    assert all("error" in answer or "message" in answer for name, answer in answers.items() if name.startswith("0"))
    assert leaks({**answers, **found.places()}, SECRETS) == []
    assert leaks({name: found.places()[name] for name in ("log", "traces")}, PERSONAL) == []


def test_defect_with_credentials_in_its_message(
    activation: Activation, found: Collected, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError(f"Authorization: Bearer {TOKEN} password='{PASSWORD}' https://u:{HOOK}@example.com/")

    monkeypatch.setattr("activations.planning.plan.read.stream", fail)
    try:
        run(activation)
    except RuntimeError:
        logging.getLogger("celery.app.trace").exception("Task raised unexpected")
    assert Run.objects.latest("pk").error_code == "defect"
    tasks.send_alerts()
    monkeypatch.setattr("segments.reading.read.preview", fail)
    model = DataModel.objects.get()
    answers = {"preview": staff.get(f"/api/models/{model.pk}/preview/").content.decode()}
    places = found.places()
    assert "RuntimeError" in places["log"]
    assert leaks({**places, **answers, **pages(staff)}, SECRETS) == []


def post(browser: Client, address: str, body: dict[str, str]) -> str:
    return browser.post(address, body, content_type="application/json").content.decode()


def pages(browser: Client) -> dict[str, str]:
    """The answer of every address, for the first row of everything and for what comes after it."""
    addresses = {attacks.filled(pattern, key) for pattern in attacks.patterns() for key in ("1", "2", "3")}
    answers = {address: browser.get(address) for address in sorted(addresses)}
    assert sum(answer.status_code == 200 for answer in answers.values()) > 60
    return {
        address: (b"".join(answer) if answer.streaming else answer.content).decode("utf-8", "replace")
        for address, answer in answers.items()
    }


def commands(activation: Activation) -> dict[str, str]:
    """The output of the commands that show settings, problems and runs."""
    said = {}
    for words in (["export"], ["doctor", "--live"], ["activate", activation.name, "--wait", "--json"], ["dumpdata"]):
        output = StringIO()
        with suppress(SystemExit):
            call_command(*words, stdout=output, stderr=output)
        said[words[0]] = output.getvalue()
    assert Connection.objects.first().name in said["export"]  # type: ignore[union-attr]
    return said
