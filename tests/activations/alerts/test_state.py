"""The state of activations, sources and connections: what runs find is stored, and every place says the same."""

from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from activations.alerts.rules import closed_by, warnings_of
from activations.alerts.state import issues, state_of
from activations.alerts.words import run_tone, run_words
from activations.models import Activation, Run, Warning
from activations.screens.api import run_json
from core.errors import Misconfigured, Rejected, Unavailable
from destinations.models import Connection
from destinations.vendor import concerns_connection
from segments.models import Source
from tests.activations.conftest import Shop, run

if TYPE_CHECKING:
    from django.test import Client

    from destinations.sandbox.base import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def labels(about: object) -> list[str]:
    """The labels of the issues about this row."""
    return [issue.label for issue in issues(timezone.now()) if issue.about == about]


def state(activation: Activation) -> str:
    return state_of(Activation.objects.get(pk=activation.pk), timezone.now()).slug


@pytest.mark.parametrize(
    ("vendor", "switch"), [("attio", {"revoked": True}), ("intercom", {"token_error": "token_revoked"})]
)
def test_refused_token_sets_the_connection_to_not_working_and_a_good_run_to_working(
    vendor: str, switch: dict[str, Any], shop: Shop, request: pytest.FixtureRequest
) -> None:
    sandbox: Sandbox = request.getfixturevalue(vendor)
    activation: Activation = request.getfixturevalue(f"to_{vendor}")
    shop.fill(3)
    before = dict(sandbox.switches)
    sandbox.switches.update(switch)
    failed = run(activation)
    connection = Connection.objects.get()
    assert (failed.state, connection.health, connection.health_message) == ("failed", "failed", failed.error_message)
    assert labels(connection) == ["Not working"]
    assert labels(failed) == ["Failed"]
    assert state(activation) == "paused_by_system"

    sandbox.switches.clear()
    sandbox.switches.update(before)
    assert run(activation).state == "succeeded"
    assert Connection.objects.get().health == "ok"
    assert state(activation) == "on"
    assert issues(timezone.now())[1:] == []  # Only that no beat runs in this test.


def test_missing_permission_that_only_a_write_shows_sets_the_connection_to_not_working(
    shop: Shop, intercom: Sandbox, to_intercom: Activation
) -> None:
    shop.fill(3)
    intercom.switches.update(missing_scopes=["Write users and companies"])
    failed = run(to_intercom)
    assert failed.state == "failed"
    assert Connection.objects.get().health_message == failed.error_message


def test_problem_of_a_mapping_or_a_rate_limit_is_none_of_the_connection() -> None:
    settings = {"token", "region"}
    assert concerns_connection(Misconfigured("unauthorized", "No.", where="token"), settings)
    assert concerns_connection(Unavailable("no_answer", "No answer."), settings)
    assert not concerns_connection(Misconfigured("attribute_missing", "Gone.", where="plan"), settings)
    assert not concerns_connection(Unavailable("rate_limit_exceeded", "Slower.", throttled=True), settings)
    assert not concerns_connection(Rejected("value", "No."), settings)


def test_unreachable_source_is_not_working_until_a_run_reads_it(
    shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(3)
    away = shop.path.rename(shop.path.with_suffix(".away"))
    failed = run(to_attio)
    source = Source.objects.get()
    assert (failed.state, source.health) == ("failed", "failed")
    assert labels(source) == ["Not working"]
    away.rename(shop.path)
    run(to_attio)
    assert Source.objects.get().health == "ok"
    assert state(to_attio) == "on"


def test_renamed_column_is_a_problem_of_the_model_and_not_of_the_source(
    shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(3)
    shop.run("alter table companies rename column description to about")
    failed = run(to_attio)
    assert Source.objects.get().health != "failed"
    assert labels(to_attio.data_model) == ["Source changed"]
    assert labels(to_attio) == ["Paused by the system"]
    assert labels(failed) == ["Failed"]
    assert state(to_attio) == "paused_by_system"


def test_failed_run_opens_a_warning_that_the_next_good_run_closes(
    shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(3)
    attio.switches.update(revoked=True)
    failed = run(to_attio)
    opened = {warning.kind: warning.message for warning in Warning.objects.filter(closed_at=None)}
    connection = "The connection “Our attio” is not working."
    assert opened == {"run_failed": failed.error_message, "paused": f"{connection} {failed.error_message}"}
    attio.switches.update(revoked=False)
    good = run(to_attio)
    assert not Warning.objects.filter(closed_at=None).exists()
    assert warnings_of(good) == []
    assert {warning.kind for warning in closed_by(good)} == {"run_failed", "paused"}


def test_good_run_does_not_show_the_alarm_that_it_closes(
    shop: Shop, attio: Sandbox, to_attio: Activation, staff: Client
) -> None:
    shop.add(*((n, f"Company {n}", None, "", "pro", n) for n in range(1, 4)))
    bad = run(to_attio)
    message = "100.0% of the rows can't be sent"
    assert message in warnings_of(bad)[0].message
    for key in (1, 2, 3):
        shop.set(key, "domain", f"company{key}.com")
    good = run(to_attio)
    assert good.state == "succeeded"

    def page(shown: Run) -> str:
        return staff.get(f"/admin/activations/run/{shown.pk}/change/").content.decode().replace("&#x27;", "'")

    assert message in page(bad)
    assert message not in page(good)
    assert "Closed by this run: Many records can't be sent" in page(good)
    assert run_json(good)["warnings"] == []
    assert message in run_json(good)["closed_warnings"][0]


def test_run_keeps_its_own_warnings_and_numbers_after_later_runs(
    shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.add(*((n, f"Company {n}", None, "", "pro", n) for n in range(1, 4)))
    first = run(to_attio)
    shop.set(1, "domain", "company1.com")
    second = run(to_attio)
    assert [warnings_of(each)[0].message.split("%")[0] for each in (first, second)] == ["100.0", "66.7"]


@pytest.mark.parametrize(
    ("counts", "words", "tone"),
    [
        ({"accepted": 91, "invalid": 9}, "Completed · 9 records can't be sent", "warn"),
        ({"unchanged": 2989, "invalid": 9}, "Completed · 9 records can't be sent", "warn"),
        ({"accepted": 1, "rejected": 1, "invalid": 1}, "Completed · 2 records not accepted", "warn"),
        ({"rejected": 3}, "Completed · 3 records not accepted", "bad"),
        ({"invalid": 2998}, "Completed · 2,998 records can't be sent", "bad"),
        ({"unknown": 1, "unchanged": 5}, "Completed · 1 record not accepted", "bad"),
        ({"unchanged": 5, "waiting": 4}, "Completed · 4 records waiting for a retry", "warn"),
    ],
)
def test_completed_run_says_what_was_not_accepted(counts: dict[str, int], words: str, tone: str) -> None:
    completed = Run(state="completed_with_warnings", **counts)
    assert (run_words(completed), run_tone(completed)) == (words, tone)


def test_activation_paused_by_the_system_is_so_in_every_place_and_has_no_next_run(
    shop: Shop, attio: Sandbox, to_attio: Activation, staff: Client
) -> None:
    shop.fill(3)
    to_attio.schedules.create(every=15)
    shop.run("alter table companies rename column description to about")
    run(to_attio)
    for path in (
        "/admin/",
        "/admin/activations/activation/",
        f"/admin/activations/activation/{to_attio.pk}/change/",
    ):
        page = staff.get(path).content.decode().replace("&#x27;", "'")
        assert 'd-bad">Paused by the system' in page, path
        assert "“description” is gone" in page, path
        assert 'd-good">On' not in page, path
        assert "Next run <strong" not in page, path
    answer = staff.get(f"/api/activations/{to_attio.pk}/").json()
    assert (answer["state"], answer["next_run"]) == ("paused_by_system", None)
    assert "“description” is gone" in answer["causes"][0]
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("activate", "To Attio", "--wait", "--json", stdout=out)
    assert json.loads(out.getvalue())["activation_state"]["state"] == "paused_by_system"


def test_run_that_no_worker_starts_needs_attention(to_attio: Activation, settings: Any) -> None:
    settings.RUN_SWEEP_SECONDS = 0
    waiting = Run.objects.create(activation=to_attio, number=1, trigger=Run.Trigger.MANUAL)
    assert labels(waiting) == ["Waiting"]
