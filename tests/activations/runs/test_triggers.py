"""Runs that programs start with a trigger token: who may, what they get, and what a repeated request does."""

from __future__ import annotations

import json
import logging
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import caches
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from activations.models import Activation, Run, SystemPause, TriggerRequest, TriggerToken
from activations.runs import tokens
from activations.screens.trigger_api import PerToken
from tests.activations.conftest import run

if TYPE_CHECKING:
    from destinations.sandbox.base import Sandbox
    from tests.activations.conftest import Shop

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "/api/trigger/"


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activations.runs.dispatch.enqueue", lambda run_id: None)
    caches["pages"].clear()


@pytest.fixture
def secret(to_attio: Activation) -> str:
    return tokens.create(to_attio, "dbt", "ops")[1]


def trigger(secret: str, body: Any = "", key: str = "") -> Any:
    """Sends the request as curl does, which labels its body as a form, and returns the response."""
    text = body if isinstance(body, str) else json.dumps(body)
    headers = {**bearer(secret), **({"Idempotency-Key": key} if key else {})}
    return Client().post(ADDRESS, text, content_type="application/x-www-form-urlencoded", headers=headers)


def state(secret: str, run_id: int) -> Any:
    return Client().get(f"{ADDRESS}runs/{run_id}/", headers=bearer(secret))


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_token_starts_a_run_whose_state_can_be_polled(
    secret: str, shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(3)
    answer = trigger(secret)
    started = Run.objects.get()
    assert (answer.status_code, started.trigger) == (202, "token")
    assert answer.json() == {
        "run": started.pk,
        "number": 1,
        "state": "queued",
        "label": "Queued",
        "status_url": f"http://testserver/api/trigger/runs/{started.pk}/",
        "joined": False,
    }
    polled = state(secret, started.pk).json()
    assert (polled["state"], polled["finished"]) == ("queued", False)
    run(to_attio)
    polled = state(secret, started.pk).json()
    assert (polled["state"], polled["finished"], polled["counts"]["accepted"]) == ("succeeded", True, 3)
    assert (polled["error"], polled["warnings"]) == (None, [])


def test_page_of_a_run_says_that_a_token_started_it(secret: str, staff: Client, to_attio: Activation) -> None:
    started = trigger(secret).json()["run"]
    assert "a trigger token" in staff.get(f"/admin/activations/run/{started}/change/").content.decode()


def test_failed_run_says_why(secret: str, shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.run("drop table companies")
    failed = run(to_attio)
    polled = state(secret, failed.pk).json()
    assert (polled["state"], polled["finished"], polled["error"]["code"]) == ("failed", True, "table_missing")


def test_same_key_gets_the_same_run_after_it_has_ended(
    secret: str, shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    first = trigger(secret, key="2026-11-29")
    assert run(to_attio).pk == first.json()["run"]
    again = trigger(secret, key="2026-11-29")
    assert (again.status_code, again.json()["run"]) == (200, first.json()["run"])
    other = trigger(secret, key="2026-11-30")
    assert (other.status_code, Run.objects.count()) == (202, 2)


def test_key_that_joined_a_run_in_progress_keeps_it(secret: str, to_attio: Activation) -> None:
    live = trigger(secret).json()["run"]
    joined = trigger(secret, key="a").json()
    assert (joined["run"], joined["joined"]) == (live, True)
    Run.objects.update(state=Run.State.SUCCEEDED)
    assert trigger(secret, key="a").json()["run"] == live


def test_twenty_requests_at_once_with_one_key_start_one_run(secret: str, to_attio: Activation) -> None:
    def send(_: int) -> tuple[int, int]:
        try:
            answer = trigger(secret, key="once")
            return answer.status_code, answer.json()["run"]
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(send, range(20)))
    assert (Run.objects.count(), TriggerRequest.objects.count()) == (1, 1)
    assert {run_id for _, run_id in answers} == {Run.objects.get().pk}
    assert sorted(status for status, _ in answers) == [200] * 19 + [202]


def test_run_in_progress_is_followed_by_another_if_the_activation_queues_them(
    secret: str, to_attio: Activation
) -> None:
    trigger(secret)
    Run.objects.update(state=Run.State.PLANNING)
    trigger(secret)
    assert not Run.objects.get().follow_up
    Activation.objects.update(overlap=Activation.Overlap.QUEUE)
    trigger(secret)
    assert Run.objects.get().follow_up


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer dt_wrong", "Basic b3BzOm9wcw==", "Bearer é"])
def test_wrong_or_missing_token_is_refused(header: str, secret: str) -> None:
    answer = Client().post(ADDRESS, headers={"Authorization": header})
    assert (answer.status_code, answer.json()["code"]) == (401, "token_unknown")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert not Run.objects.exists()


def test_revoked_token_is_refused(secret: str) -> None:
    tokens.revoke(TriggerToken.objects.get(), timezone.now())
    assert trigger(secret).status_code == 401


def test_login_without_a_token_starts_nothing(staff: Client, to_attio: Activation) -> None:
    assert staff.post(ADDRESS).status_code == 401


def test_token_opens_its_own_activation_and_nothing_else(
    secret: str, to_attio: Activation, to_intercom: Activation
) -> None:
    other = Run.objects.create(activation=to_intercom, number=1, trigger="manual")
    answer = state(secret, other.pk)
    assert (answer.status_code, answer.json()["code"]) == (404, "run_unknown")
    assert Client().get("/api/issues/", headers=bearer(secret)).status_code == 403
    assert Client().get(f"/api/runs/{other.pk}/", headers=bearer(secret)).status_code == 403


def test_activation_that_can_not_start_says_why(secret: str, to_attio: Activation) -> None:
    def refused(**changes: Any) -> tuple[int, str]:
        Activation.objects.update(**{"is_draft": False, "paused": False, **changes})
        answer = trigger(secret, key="k")
        return answer.status_code, answer.json()["code"]

    assert refused(is_draft=True) == (409, "activation_draft")
    assert refused(paused=True) == (409, "activation_paused")
    now = timezone.now()
    pause = SystemPause.objects.create(
        activation=to_attio, cause="source", code="source_unreachable", message="Away.", since=now, next_check_at=now
    )
    assert refused() == (409, "activation_paused_by_system")
    assert "The source “Shop” is not working. Away." in trigger(secret).json()["message"]
    pause.delete()
    held = Run.objects.create(activation=to_attio, number=1, trigger="schedule", state=Run.State.HELD)
    assert refused() == (409, "run_held")
    assert state(secret, held.pk).json()["finished"] is False
    Run.objects.all().delete()
    assert not TriggerRequest.objects.exists(), "a refused request may be sent again with its key"
    assert trigger(secret, key="k").status_code == 202


def test_body_is_read_as_json_and_a_mistake_in_it_is_refused(secret: str, to_attio: Activation) -> None:
    assert trigger(secret, {"full": True}).status_code == 202
    assert Run.objects.get().kind == "full"
    for body in ({"ful": True}, {"full": "yes"}, "[]", "{", "full=true"):
        answer = trigger(secret, body)
        assert (answer.status_code, answer.json()["code"]) in [(400, "trigger_body"), (400, "request_unreadable")]
    assert trigger(secret, key="k" * 201).json()["code"] == "idempotency_key"


def test_too_many_requests_are_told_to_wait(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PerToken, "rate", "2/min")
    assert [trigger(secret).status_code for _ in range(3)] == [202, 202, 429]
    answer = trigger(secret)
    assert (answer.json()["code"], "Retry-After" in answer.headers) == ("too_many_requests", True)


def test_secret_is_stored_and_logged_nowhere(
    secret: str, to_attio: Activation, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    trigger(secret, key="k")
    trigger(f"{secret}x")
    trigger(secret, "{")
    assert secret not in caplog.text
    rows = [*TriggerToken.objects.values(), *TriggerRequest.objects.values(), *Run.objects.values()]
    assert secret not in repr(rows)
    assert TriggerToken.objects.get().last_used_at is not None


def test_page_shows_a_new_token_once_and_revokes_it(staff: Client, to_attio: Activation) -> None:
    address = f"/admin/activations/activation/{to_attio.pk}/tokens/"
    created = staff.post(address, {"name": "dbt"})
    secret = created.content.decode().partition('id="trigger-secret">')[2].partition("<")[0]
    assert "no-store" in created.headers["Cache-Control"]
    assert trigger(secret).status_code == 202
    page = staff.get(address).content.decode()
    token = TriggerToken.objects.get()
    assert (secret in page, token.hint in page, token.created_by) == (False, True, "ops")
    assert "has a token named" in staff.post(address, {"name": "dbt"}).content.decode()
    staff.post(address, {"revoke": token.pk})
    assert trigger(secret).status_code == 401
    assert "1 trigger token" not in staff.get(f"/admin/activations/activation/{to_attio.pk}/change/").content.decode()


def test_curl_starts_a_run(secret: str, to_attio: Activation, live_server: Any) -> None:
    def curl(*words: str) -> Any:
        header = f"Authorization: Bearer {secret}"
        done = subprocess.run(
            ["curl", "--silent", "--fail-with-body", "-H", header, *words], capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout)

    started = curl("-X", "POST", f"{live_server.url}{ADDRESS}")
    assert curl(started["status_url"])["state"] == "queued"
    full = curl("-X", "POST", "-d", '{"full": true}', "-H", "Idempotency-Key: a", f"{live_server.url}{ADDRESS}")
    assert (full["run"], Run.objects.get().kind) == (started["run"], "full")


def test_command_creates_lists_and_revokes_tokens(to_attio: Activation, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("tokens", "create", "To Attio", "Airflow")
    secret = capsys.readouterr().out.strip()
    assert trigger(secret).status_code == 202
    call_command("tokens", "list", "To Attio")
    listed = capsys.readouterr().out
    assert ("Airflow" in listed, secret in listed) == (True, False)
    call_command("tokens", "revoke", "To Attio", "Airflow")
    assert trigger(secret).status_code == 401
    with pytest.raises(CommandError, match="no token named 'Airflow'"):
        call_command("tokens", "revoke", "To Attio", "Airflow")
