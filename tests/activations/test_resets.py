"""Resets of the sync history: what needs one, what a person can ask for, and what a killed worker leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.management import call_command

from activations.models import Activation, Generation, Record
from activations.planning import generations
from destinations.models import Connection
from tests.activations.conftest import TOKEN, Shop, run, writes

if TYPE_CHECKING:
    from django.test import Client

    from destinations.sandbox.base import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def synchronized(shop: Shop, attio: Sandbox, to_attio: Activation) -> Activation:
    """An activation that has sent three records, and has nothing left to send."""
    shop.fill(3)
    Activation.objects.update(compare_first=False)
    to_attio.refresh_from_db()
    assert run(to_attio).accepted == 3
    assert run(to_attio).planned == 0
    attio.log.clear()
    return to_attio


def test_a_reset_that_a_person_asks_for_sends_every_record_again(attio: Sandbox, synchronized: Activation) -> None:
    call_command("activate", synchronized.name, "--start-afresh")
    done = run(synchronized)
    assert (done.kind, done.reason, done.accepted) == ("full", generations.RESET, 3)
    assert len(writes(attio)) == 3
    assert run(synchronized).planned == 0
    assert not Activation.objects.get().start_afresh


def test_a_different_connection_to_the_same_workspace_sends_nothing(attio: Sandbox, synchronized: Activation) -> None:
    second = Connection.objects.create(name="Second Attio", platform="attio", secrets={"token": TOKEN})
    synchronized.destination.connection = second
    synchronized.destination.save()
    done = run(Activation.objects.get())
    assert (done.state, done.planned, writes(attio)) == ("succeeded", 0, [])


def test_a_changed_match_waits_for_consent_and_going_back_needs_none(attio: Sandbox, synchronized: Activation) -> None:
    Activation.objects.update(match_column="description")
    failed = run(Activation.objects.get())
    assert (failed.state, failed.error_code) == ("failed", "identity_changed")
    assert "The match of this activation changed" in failed.error_message
    Activation.objects.update(match_column="domain")
    assert (run(Activation.objects.get()).planned, writes(attio)) == (0, [])


def test_a_dry_run_of_a_reset_leaves_consent_and_sync_history_alone(attio: Sandbox, synchronized: Activation) -> None:
    Activation.objects.update(start_afresh=True)
    dry = run(Activation.objects.get(), dry_run=True)
    assert (dry.state, dry.planned) == ("planned", 3)
    assert Activation.objects.get().start_afresh
    Activation.objects.update(start_afresh=False)
    assert (run(Activation.objects.get()).planned, writes(attio)) == (0, [])


def test_a_worker_that_dies_while_it_resets_loses_neither_consent_nor_reset(
    synchronized: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    Activation.objects.update(start_afresh=True)
    with monkeypatch.context() as patch:

        def die(*_: object) -> str:
            raise KeyboardInterrupt

        patch.setattr(generations, "_reason", die)
        with pytest.raises(KeyboardInterrupt):
            run(Activation.objects.get())
    assert Activation.objects.get().start_afresh
    assert Generation.objects.count() == 1
    assert synchronized.runs.filter(state="planning").update(owner="") == 1
    assert run(Activation.objects.get()).accepted == 3
    assert Record.objects.filter(generation__number=2, accepted_at__isnull=False).count() == 3


def test_the_run_page_links_accepted_records_to_the_vendor(staff: Client, synchronized: Activation) -> None:
    page = staff.get(f"/admin/activations/run/{synchronized.runs.earliest('pk').pk}/change/").content.decode()
    assert page.count("Open in Attio") == 3
    assert 'href="https://app.attio.com/' in page


def test_the_page_offers_a_reset_and_lets_a_person_take_it_back(staff: Client, synchronized: Activation) -> None:
    page = f"/admin/activations/activation/{synchronized.pk}/change/"
    form = staff.get(page).context["adminform"].form
    assert "agree" in form.fields
    assert not form.initial["agree"]
    Activation.objects.update(start_afresh=True)
    assert staff.get(page).context["adminform"].form.initial["agree"]
