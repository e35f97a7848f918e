"""Pauses by the system: what pauses an activation, what resumes it, and what a crash may leave behind."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from activations import tasks
from activations.alerts.state import issues, state_of
from activations.models import Activation, Run, Schedule, SystemPause, Warning
from activations.pauses import act, check
from activations.runs import dispatch
from activations.scheduling import periodic_tasks
from destinations.models import Connection
from segments.engines.failures import unreachable
from segments.engines.sqlite.engine import SQLite
from tests.activations.conftest import TOKEN, Shop, run
from tests.activations.scheduling.clock import make_due

if TYPE_CHECKING:
    from django.test import Client

    from destinations.sandbox.base import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs wait until the test executes them. Checks are executed where they would be queued."""
    monkeypatch.setattr(dispatch, "enqueue", lambda run_id: None)
    monkeypatch.setattr(dispatch, "send", lambda task, *arguments, name: tasks.check_pause(*arguments))


def later(**delta: float) -> None:
    """Lets time pass for the pauses."""
    for pause in SystemPause.objects.all():
        SystemPause.objects.filter(pk=pause.pk).update(next_check_at=pause.next_check_at - timedelta(**delta))


def state(activation: Activation) -> str:
    return state_of(Activation.objects.get(pk=activation.pk), timezone.now()).slug


def paused(activation: Activation) -> bool:
    return SystemPause.objects.filter(activation=activation).exists()


def break_source(shop: Shop) -> Any:
    """Takes the file of the source away. Returns how to bring it back."""
    away = shop.path.rename(shop.path.with_suffix(".away"))
    return lambda: away.rename(shop.path)


def test_refused_token_pauses_immediately_and_reconnecting_resumes(
    shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(3)
    Schedule.objects.create(activation=to_attio, every=15)
    attio.switches.update(revoked=True)
    failed = run(to_attio)
    pause = SystemPause.objects.get()
    assert (failed.culprit, pause.cause, pause.activation) == ("connection", "connection", to_attio)
    assert (failed.problem_code, pause.code) == (failed.error_code, failed.error_code)
    assert state(to_attio) == "paused_by_system"
    (message,) = state_of(Activation.objects.get(), timezone.now()).causes
    assert message.startswith("The connection “Our attio” is not working.")

    attio.switches.update(revoked=False)
    tasks.sweep()
    assert paused(to_attio), "nothing was due, and nobody reconnected"
    connection = Connection.objects.get()
    connection.secrets = {"token": TOKEN}
    connection.save()
    tasks.sweep()
    assert not paused(to_attio)
    (started,) = Run.objects.filter(state=Run.State.QUEUED)
    assert (started.trigger, started.pk > failed.pk) == ("catch_up", True)
    assert run(to_attio).accepted == 3


def test_token_that_is_valid_again_is_noticed_by_the_next_check(
    shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(1)
    attio.switches.update(revoked=True)
    run(to_attio)
    later(minutes=1)
    tasks.sweep()
    assert (paused(to_attio), SystemPause.objects.get().checks) == (True, 1)
    attio.switches.update(revoked=False)
    later(minutes=1)
    tasks.sweep()
    assert paused(to_attio), "the second wait is two minutes"
    later(minutes=1)
    tasks.sweep()
    assert not paused(to_attio)


def test_dropped_column_pauses_and_restoring_it_resumes(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(3)
    Schedule.objects.create(activation=to_attio, every=15)
    shop.run("alter table companies rename column description to about")
    assert run(to_attio).error_code == "source_changed"
    pause = SystemPause.objects.get()
    assert (pause.cause, pause.code) == ("configuration", "source_changed")
    assert "“description” is gone" in state_of(Activation.objects.get(), timezone.now()).causes[0]
    later(minutes=1)
    tasks.sweep()
    assert paused(to_attio)
    shop.run("alter table companies rename column about to description")
    later(minutes=2)
    tasks.sweep()
    assert not paused(to_attio)
    assert Run.objects.filter(state=Run.State.QUEUED).count() == 1
    assert run(to_attio).accepted == 3


def test_column_that_a_check_of_the_model_misses_pauses_before_any_run(
    shop: Shop, attio: Sandbox, to_attio: Activation, staff: Client
) -> None:
    shop.fill(3)
    Schedule.objects.create(activation=to_attio, every=15)
    shop.run("alter table companies drop column description")
    staff.post(f"/admin/segments/datamodel/{to_attio.data_model.pk}/do/check/")
    tasks.sweep()
    assert "“description” is gone" in SystemPause.objects.get().message
    shop.run("alter table companies add column description text")
    staff.post(f"/admin/segments/datamodel/{to_attio.data_model.pk}/do/check/")
    tasks.sweep()
    assert not paused(to_attio)
    assert Run.objects.get().trigger == "catch_up"


def test_archived_attribute_pauses_only_if_records_are_matched_by_it(
    shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(2)
    attio.archive("companies", "description", True)
    completed = run(to_attio)
    assert (completed.state, completed.accepted) == ("completed_with_warnings", 2)
    assert not paused(to_attio)
    assert [warning.subject for warning in Warning.objects.filter(closed_at=None)] == ["description"]


def test_match_attribute_that_is_gone_pauses_until_it_is_back(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(2)
    attio.archive("companies", "domains", True)
    assert run(to_attio).error_code == "match_field"
    assert SystemPause.objects.get().cause == "configuration"
    assert not check.check_now(to_attio, timezone.now())
    attio.archive("companies", "domains", False)
    assert check.check_now(to_attio, timezone.now())
    assert not paused(to_attio)
    assert not Run.objects.filter(state=Run.State.QUEUED).exists(), "without a schedule, a correction starts no run"


def test_source_gets_three_tries_and_no_more_runs_after_them(
    shop: Shop, attio: Sandbox, to_attio: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.fill(3)
    outage(monkeypatch)
    schedule = Schedule.objects.create(activation=to_attio, every=15)
    assert [(run(to_attio).state, paused(to_attio)) for _ in range(3)] == [
        ("failed", False),
        ("failed", False),
        ("failed", True),
    ]
    pause = SystemPause.objects.get()
    assert (pause.cause, pause.code) == ("source", "source_unreachable")
    Run.objects.update(finished_at=timezone.now() - timedelta(hours=2))
    make_due(schedule)
    tasks.fire(schedule.pk)
    tasks.sweep()
    assert Run.objects.count() == 3
    monkeypatch.undo()


def outage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets every session with the source fail as if its server was off."""

    def refuse(*_: object, **__: object) -> None:
        raise unreachable("db", 5432, "refused")

    monkeypatch.setattr(SQLite, "open", refuse)
    monkeypatch.setattr(SQLite, "reach", refuse)


def test_persons_pause_is_never_resumed_by_the_system(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(1)
    attio.switches.update(revoked=True)
    run(to_attio)
    Activation.objects.update(paused=True)
    attio.switches.update(revoked=False)
    pause = SystemPause.objects.get()
    later(hours=2)
    tasks.sweep()
    assert act.resume(pause, timezone.now()) is None
    assert Activation.objects.get().paused
    assert not Run.objects.filter(state=Run.State.QUEUED).exists()
    act.resume_by_person(Activation.objects.get(), timezone.now())
    assert (Activation.objects.get().paused, paused(to_attio)) == (False, False)


def test_failing_run_of_a_person_keeps_the_pause_and_a_good_one_ends_it(
    shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(1)
    attio.switches.update(revoked=True)
    run(to_attio)
    since = SystemPause.objects.get().since
    run(to_attio, "manual")
    assert SystemPause.objects.get().since == since
    attio.switches.update(revoked=False)
    assert run(to_attio, "manual").state == "succeeded"
    assert state(to_attio) == "on"


def test_pause_is_one_warning_until_a_run_completes_however_often_it_is_resumed(
    shop: Shop, intercom: Sandbox, to_intercom: Activation
) -> None:
    """A missing permission to write passes every check, and every run fails."""
    shop.fill(2)
    intercom.switches.update(missing_scopes=["Write users and companies"])
    run(to_intercom)
    waits = []
    for _ in range(5):
        SystemPause.objects.update(next_check_at=timezone.now())
        tasks.sweep()
        assert not paused(to_intercom)
        run(to_intercom)
        pause = SystemPause.objects.get()
        waits.append(round((pause.next_check_at - timezone.now()) / timedelta(minutes=1)))
    assert waits == [2, 5, 15, 60, 60]
    assert Warning.objects.filter(kind="paused").count() == 1
    assert Warning.objects.get(kind="paused").closed_at is None
    intercom.switches.update(missing_scopes=[])
    SystemPause.objects.update(next_check_at=timezone.now())
    tasks.sweep()
    assert run(to_intercom).state == "succeeded"
    assert Warning.objects.get(kind="paused").closed_at is not None


def test_dry_runs_and_tests_of_one_record_pause_nothing(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(1)
    attio.switches.update(revoked=True)
    assert run(to_attio, "manual", dry_run=True).state == "failed"
    assert run(to_attio, "manual", only_key="1").state == "failed"
    assert not paused(to_attio)


def test_worker_that_dies_leaves_the_failed_run_and_its_pause_or_neither(
    shop: Shop, attio: Sandbox, to_attio: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.fill(1)
    attio.switches.update(revoked=True)

    class Died(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Died

    with monkeypatch.context() as patch, pytest.raises(Died):
        patch.setattr(act, "_warn", die)
        run(to_attio)
    interrupted = Run.objects.get()
    assert (interrupted.is_live, paused(to_attio)) == (True, False)
    Run.objects.update(lease_until=timezone.now() - timedelta(minutes=1))
    run(to_attio)
    assert (Run.objects.get().state, paused(to_attio)) == ("failed", True)

    attio.switches.update(revoked=False)
    later(minutes=1)
    with monkeypatch.context() as patch, pytest.raises(Died):
        patch.setattr(periodic_tasks, "resume", die)
        tasks.sweep()
    assert (paused(to_attio), Run.objects.count()) == (True, 1)
    later(minutes=2)
    tasks.sweep()
    assert (paused(to_attio), Run.objects.count()) == (False, 2)


def test_activations_of_one_source_are_checked_once(
    shop: Shop, attio: Sandbox, to_attio: Activation, intercom: Sandbox, to_intercom: Activation
) -> None:
    shop.fill(1)
    restore = break_source(shop)
    run(to_attio)
    run(to_intercom)
    assert {pause.cause for pause in SystemPause.objects.all()} == {"source"}
    later(minutes=1)
    assert len(check.claim_due(timezone.now())) == 1
    restore()
    later(minutes=5)
    tasks.sweep()
    assert not SystemPause.objects.exists()
    assert Run.objects.filter(state=Run.State.QUEUED).count() == 2


def test_source_with_new_settings_is_checked_soon(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(1)
    shop.path.rename(shop.path.with_name("moved.sqlite3"))
    run(to_attio)
    source = to_attio.data_model.source
    source.config = {"path": "moved.sqlite3"}
    source.save()
    tasks.sweep()
    assert not paused(to_attio)


def test_page_names_the_culprit_and_offers_a_check(
    shop: Shop, attio: Sandbox, to_attio: Activation, staff: Client
) -> None:
    shop.fill(1)
    restore = break_source(shop)
    run(to_attio)
    address = f"/admin/activations/activation/{to_attio.pk}/"
    for path in ("/admin/", "/admin/activations/activation/", f"{address}change/"):
        page = staff.get(path).content.decode().replace("&#x27;", "'")
        assert "Paused by the system" in page, path
        assert "The source “Shop” is not working." in page, path
    assert "It still does not work" in staff.post(f"{address}do/check/", follow=True).content.decode()
    restore()
    assert "The activation is resumed" in staff.post(f"{address}do/check/", follow=True).content.decode()
    assert not paused(to_attio)
    labels = [issue.label for issue in issues(timezone.now()) if issue.about == to_attio]
    assert "Paused by the system" not in labels


def test_person_can_resume_without_a_check(shop: Shop, attio: Sandbox, to_attio: Activation, staff: Client) -> None:
    shop.fill(1)
    break_source(shop)
    run(to_attio)
    staff.post(f"/admin/activations/activation/{to_attio.pk}/do/resume/")
    assert state(to_attio) == "failing"
    run(to_attio)
    assert state(to_attio) == "paused_by_system"


def test_page_of_a_failed_run_leads_to_the_remedy_and_explains_the_code(
    shop: Shop, attio: Sandbox, to_attio: Activation, staff: Client
) -> None:
    def page(failed: Run) -> str:
        return staff.get(f"/admin/activations/run/{failed.pk}/change/").content.decode()

    shop.fill(1)
    attio.switches.update(revoked=True)
    refused = page(run(to_attio))
    assert "Enter a new credential" in refused
    assert "/admin/docs/errors/#token_inactive" in refused
    attio.switches.update(revoked=False)
    attio.archive("companies", "domains", True)
    unmatched = page(run(to_attio))
    assert "Refresh the attributes" in unmatched
    assert "Open the mapping" in unmatched
    assert "/admin/docs/errors/#match_field" in unmatched
    activation = staff.get(f"/admin/activations/activation/{to_attio.pk}/change/").content.decode()
    assert "Refresh the attributes" in activation


def test_api_leads_to_what_the_documentation_says_about_an_error(
    shop: Shop, attio: Sandbox, to_attio: Activation, staff: Client
) -> None:
    shop.run("drop table companies")
    failed = run(to_attio)
    error = staff.get(f"/api/runs/{failed.pk}/").json()["error"]
    assert (error["code"], error["help"]) == ("table_missing", "http://127.0.0.1:8000/admin/docs/errors/#table_missing")
    refused = staff.post(f"/api/activations/{to_attio.pk}/runs/", "[]", content_type="application/json").json()
    assert refused["help"].endswith("/admin/docs/errors/#request_unreadable")


def test_run_that_waits_for_approval_is_not_replaced_when_the_activation_resumes(
    shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(1)
    attio.switches.update(revoked=True)
    run(to_attio)
    attio.switches.update(revoked=False)
    Run.objects.create(activation=to_attio, number=9, trigger="manual", state=Run.State.HELD)
    assert check.check_now(to_attio, timezone.now())
    assert (paused(to_attio), Run.objects.filter(state=Run.State.QUEUED).exists()) == (False, False)


def test_api_pauses_resumes_and_checks(shop: Shop, attio: Sandbox, to_attio: Activation, staff: Client) -> None:
    def post(action: str) -> Any:
        answer: Any = staff.post(f"/api/activations/{to_attio.pk}/{action}/")
        assert answer.status_code == 200
        return answer.json()

    shop.fill(1)
    attio.switches.update(revoked=True)
    run(to_attio)
    found = post("check")
    assert (found["state"], found["pause"]["cause"]) == ("paused_by_system", "connection")
    assert found["pause"]["help"].endswith("#token_inactive")
    assert post("pause")["state"] == "paused"
    resumed = post("resume")
    assert (resumed["pause"], Activation.objects.get().paused) == (None, False)
    run(to_attio)
    attio.switches.update(revoked=False)
    assert (post("check")["pause"], paused(to_attio)) == (None, False)
