"""The requests that wrote records are kept with their responses, without secrets, for a limited time."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from activations.models import Activation, Change, Exchange, Run
from activations.runs import retention
from core.network.observers import KEPT_BYTES
from destinations.kit.exchanges import LONGEST_BODY, Secrets
from destinations.sandbox.wire import Fault
from tests.activations.conftest import TOKEN, run, writes

if TYPE_CHECKING:
    from destinations.sandbox.base import Sandbox
    from tests.activations.conftest import Shop

pytestmark = pytest.mark.django_db(transaction=True)


def exchange_of(key: str) -> Exchange:
    exchange_id = Change.objects.filter(key=key).latest("pk").exchange_id
    assert exchange_id
    return Exchange.objects.get(pk=exchange_id)


def test_each_write_keeps_what_was_sent_and_answered(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(2)
    done = run(to_attio)
    sent = {json.dumps(entry["body"]["data"]["values"]["name"]): entry for entry in writes(attio)}
    assert Exchange.objects.filter(run=done).count() == 2
    exchange = exchange_of("2")
    body = json.loads(exchange.request)
    entry = sent[json.dumps(body["data"]["values"]["name"])]
    assert "Company 2" in exchange.request
    assert (exchange.method, exchange.status, body) == ("PUT", 200, entry["body"])
    assert exchange.url.startswith("http://127.0.0.1:")
    assert "/v2/objects/companies/records?matching_attribute=domains" in exchange.url
    assert json.loads(exchange.response)["data"]["id"]["record_id"] == Change.objects.get(key="2").remote_id


def test_refused_and_lost_requests_are_kept_and_the_last_of_a_record_counts(
    shop: Shop, attio: Sandbox, to_attio: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activations.delivery.retry.BACKOFF_SECONDS", 0.0)
    shop.fill(3)
    refusal = {"code": "validation_type", "message": "Not like this."}
    attio.faults.append(Fault("reply", "PUT", body_contains="Company 1", status=400, body=refusal))
    attio.faults.append(Fault("cut_after", "PUT", body_contains="Company 2", times=99))
    attio.faults.append(Fault("reply", "PUT", body_contains="Company 3", status=503, body="down"))
    run(to_attio)
    assert (exchange_of("1").status, json.loads(exchange_of("1").response)) == (400, refusal)
    assert (exchange_of("2").status, exchange_of("2").response) == (None, "")
    assert (exchange_of("3").status, Exchange.objects.count()) == (200, 3)


def test_token_is_in_no_exchange_even_if_the_vendor_repeats_it(
    shop: Shop, intercom: Sandbox, to_intercom: Activation
) -> None:
    shop.fill(3)
    shop.set(3, "name", f"Named {TOKEN}")
    repeated = {"type": "error.list", "errors": [{"code": "parameter_invalid", "message": f"Bearer {TOKEN} sent this"}]}
    intercom.faults.append(Fault("reply", "POST", body_contains="Company 2", status=422, body=repeated))
    run(to_intercom)
    stored = json.dumps(list(Exchange.objects.values("method", "url", "request", "response")))
    assert Exchange.objects.count() == 3
    assert TOKEN not in stored
    assert "Bearer [secret] sent this" in stored
    assert "Authorization" not in stored


def test_nothing_is_kept_if_the_setting_is_0(shop: Shop, attio: Sandbox, to_attio: Activation, settings: Any) -> None:
    settings.EXCHANGE_DAYS = 0
    shop.fill(2)
    assert run(to_attio).accepted == 2
    assert not Exchange.objects.exists()
    assert set(Change.objects.values_list("exchange_id", flat=True)) == {None}


def test_old_exchanges_are_deleted_before_their_changes(
    shop: Shop, attio: Sandbox, to_attio: Activation, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "CHUNK", 2)
    settings.EXCHANGE_DAYS = 7
    shop.fill(5)
    old = run(to_attio)
    Run.objects.filter(pk=old.pk).update(finished_at=timezone.now() - timedelta(days=8))
    shop.set(1, "name", "New")
    run(to_attio)
    assert retention.prune(timezone.now()) == 5
    assert Exchange.objects.count() == 1
    assert Change.objects.filter(run=old).count() == 5
    retention.delete_activation(to_attio)
    assert not Exchange.objects.exists()


def test_large_bodies_are_cut_off(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(1)
    shop.set(1, "description", "é" * 20_000)
    run(to_attio)
    assert LONGEST_BODY - 2 <= len(exchange_of("1").request.encode()) <= LONGEST_BODY


@given(st.integers(0, KEPT_BYTES + 50), st.text("ab\\", min_size=6, max_size=60))
def test_no_part_of_a_secret_survives_a_cut(place: int, secret: str) -> None:
    secret = f"s3cr3t{secret}t0ken"
    content = f"{'.' * place}{json.dumps(secret)[1:-1]}{'.' * KEPT_BYTES}".encode()[:KEPT_BYTES]
    shown = Secrets([secret]).body(content)
    assert "s3cr3" not in shown
    assert len(shown.encode()) <= LONGEST_BODY


def test_credentials_in_an_address_are_hidden() -> None:
    hidden = Secrets(["my key/1"]).url("https://api.example.com/records?api_key=abc123&name=my%20key%2F1&page=2")
    assert hidden == "https://api.example.com/records?api_key=[secret]&name=[secret]&page=2"
