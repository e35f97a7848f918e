"""Records are compared with what the destination holds before they are written for the first time."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Any

import pytest

from activations.execute import execute
from activations.models import Activation, Change, Run
from activations.runs import requests
from destinations.services.attio.records import Records
from segments.sources.discovery import refresh_columns
from tests.activations.conftest import map_fields, run, writes
from tests.activations.environment import Kill
from tests.activations.vendor import Killed, Movable

if TYPE_CHECKING:
    from collections.abc import Callable

    from destinations.contract import Field, Held, Wire
    from destinations.sandbox.base import Sandbox
    from segments.models import DataModel
    from tests.activations.conftest import Shop
    from tests.activations.memory_story import Story

pytestmark = pytest.mark.django_db(transaction=True)

ATTRIBUTES: list[dict[str, Any]] = [
    {"api_slug": "tier", "type": "select", "options": ["Gold", "Silver"]},
    {"api_slug": "labels", "type": "select", "is_multiselect": True, "options": ["A", "B", "C"]},
    {"api_slug": "fee", "type": "currency"},
    {"api_slug": "renewed", "type": "timestamp"},
    {"api_slug": "founded", "type": "date"},
    {"api_slug": "phone", "type": "phone-number"},
]


@pytest.fixture
def adopting(shop: Shop, companies: DataModel, attio: Sandbox, to_attio: Activation) -> Activation:
    """Compares first, and maps attributes of every kind that vendors spell in their own way."""
    for column in ("tier", "labels", "fee", "renewed", "founded", "phone", "city"):
        shop.run(f"alter table companies add column {column} text")
    refresh_columns(companies)
    arrange(attio, {"attributes": ATTRIBUTES})
    pairs = [(attribute["api_slug"], attribute["api_slug"]) for attribute in ATTRIBUTES]
    return map_fields(to_attio, *pairs, ("city", "primary_location.locality"))


def fill(shop: Shop, *numbers: int) -> None:
    shop.run(
        "insert into companies (id, name, domain, description, tier, labels, fee, renewed, founded, phone, city) "
        "values (?, ?, ?, ?, 'gold', 'B, A', '12.50', '2026-03-31 10:00:00+02:00', '1999-05-01 00:00:00', "
        "'+33 1 42 68 53 00', 'Paris')",
        *((n, f"Company {n}", f"https://www.Company{n}.com/", f" No. {n}") for n in numbers),
    )


def arrange(sandbox: Any, switches: dict[str, Any]) -> None:
    with sandbox.lock:
        sandbox._switch(switches)


def there(number: int, **other: Any) -> dict[str, Any]:
    """A company as the vendor holds it, in its own spelling."""
    place = dict.fromkeys(
        (
            "line_1",
            "line_2",
            "line_3",
            "line_4",
            "locality",
            "region",
            "postcode",
            "country_code",
            "latitude",
            "longitude",
        )
    )
    return {
        "name": f"Company {number}",
        "domains": [f"company{number}.com"],
        "description": f"No. {number}",
        "tier": "Gold",
        "labels": ["A", "B"],
        "fee": 12.5,
        "renewed": "2026-03-31T08:00:00Z",
        "founded": "1999-05-01",
        "phone": "+33142685300",
        "primary_location": {**place, "locality": "Paris", "line_1": "1 rue de Rivoli"},
        **other,
    }


def test_only_what_differs_is_written(shop: Shop, attio: Sandbox, adopting: Activation) -> None:
    fill(shop, *range(1, 31))
    arrange(attio, {"records": {"companies": [
        *(there(n) for n in range(1, 16)), *(there(n, fee=99) for n in range(16, 26)),
    ]}})  # fmt: skip
    writes(attio)
    first = run(adopting)
    assert (first.matched, first.accepted, first.created, first.lookup_requests) == (15, 15, 5, 1)
    sent = [entry["body"]["data"]["values"] for entry in writes(attio)]
    assert len(sent) == 15
    assert sum(values == {"fee": 12.5} for values in sent) == 10
    second = run(adopting)
    assert (second.planned, second.unchanged, second.write_requests) == (0, 30, 0)


def test_two_thousand_companies_that_are_there_take_no_write_and_few_lookups(
    shop: Shop, attio: Sandbox, adopting: Activation
) -> None:
    fill(shop, *range(1, 2_001))
    others: list[dict[str, Any]] = [{"fee": 99}, {"tier": "Silver"}, {"labels": ["A"]}, {"phone": "+33142685301"}]
    arrange(attio, {"records": {"companies": [
        *(there(n) for n in range(1, 1_501)), *(there(n, **others[n % 4]) for n in range(1_501, 1_801)),
    ]}})  # fmt: skip
    writes(attio)
    first = run(adopting)
    assert (first.matched, first.accepted, first.created) == (1_500, 500, 200)
    assert first.lookup_requests <= ceil(2_000 / 500) + 2
    sent = [tuple(entry["body"]["data"]["values"]) for entry in writes(attio)]
    assert Counter(names for names in sent if len(names) == 1) == {
        (name,): 75 for other in others for name in other
    }  # fmt: skip
    assert len(sent) == 500
    second = run(adopting)
    assert (second.planned, second.lookup_requests, second.write_requests) == (0, 0, 0)
    full = run(adopting, full=True)
    assert (full.matched, full.accepted, full.write_requests) == (2_000, 0, 0)
    assert full.lookup_requests <= ceil(2_000 / 500) + 2


@pytest.mark.parametrize("before", [True, False], ids=["before the commit", "after the commit"])
@pytest.mark.parametrize("step", range(1, 16))
def test_adoption_that_is_killed_writes_each_difference_and_nothing_else(
    shop: Shop, attio: Sandbox, adopting: Activation, step: int, before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Records, "limits", replace(Records.limits, find_batch=4))
    monkeypatch.setattr("activations.delivery.deliver.CHUNK", 5)
    fill(shop, *range(1, 16))
    arrange(attio, {"records": {"companies": [
        *(there(n) for n in range(1, 9)), *(there(n, fee=99) for n in range(9, 13)),
    ]}})  # fmt: skip
    writes(attio)
    kill = Kill()
    kill.patch(monkeypatch)
    requested = requests.request(adopting, "schedule", enqueue=False)
    kill.arm(step, before)
    with suppress(Killed):
        while execute(requested.pk):
            pass
    kill.arm(None, before)
    Run.objects.update(lease_until=datetime.now(UTC) - timedelta(minutes=1))
    while execute(requested.pk):
        pass
    done = Run.objects.get()
    assert (done.matched + done.accepted, done.unknown + done.not_sent) == (15, 0)
    sent = [entry["body"]["data"]["values"] for entry in writes(attio)]
    created = [values for values in sent if values != {"fee": 12.5}]
    assert {values["name"] for values in created} == {f"Company {n}" for n in range(13, 16)}
    held = attio.state()["records"]
    assert {record["values"]["fee"] for record in held} == {12.5}
    assert len(held) == 15
    assert run(adopting).planned == 0


def test_matched_record_is_updated_when_its_row_changes(shop: Shop, attio: Sandbox, adopting: Activation) -> None:
    fill(shop, 1)
    arrange(attio, {"records": {"companies": [there(1, tier="Silver", description="Ours")]}})
    adopting.mappings.filter(target__in=("tier", "description")).delete()
    assert run(adopting).matched == 1
    change = Change.objects.get()
    assert (change.outcome, change.web_url[:22], change.sent) == ("matched", "https://app.attio.com/", [])
    writes(attio)
    shop.set(1, "name", "Renamed")
    again = run(adopting)
    assert (again.accepted, again.lookup_requests) == (1, 0)
    assert [entry["body"]["data"]["values"] for entry in writes(attio)] == [{"name": "Renamed"}]


def test_further_domain_of_a_row_is_added(shop: Shop, attio: Sandbox, adopting: Activation) -> None:
    fill(shop, 1)
    shop.set(1, "domain", "company1.com, company1.org")
    arrange(attio, {"records": {"companies": [there(1)]}})
    assert (run(adopting).accepted, attio.state()["records"][0]["values"]["domains"]) == (
        1, ["company1.org", "company1.com"],
    )  # fmt: skip
    assert run(adopting).planned == 0


def test_full_sync_writes_only_what_people_changed_since(shop: Shop, attio: Sandbox, adopting: Activation) -> None:
    fill(shop, 1, 2, 3)
    run(adopting)
    store = attio.workspace.stores["companies"]  # type: ignore[attr-defined]
    names = [record.values["name"][0].data for record in store.records.values()]
    next(name for name in names if name["value"] == "Company 1")["value"] = "Edited by hand"
    writes(attio)
    full = run(adopting, full=True)
    assert (full.matched, full.accepted, full.lookup_requests) == (2, 1, 1)
    assert [entry["body"]["data"]["values"] for entry in writes(attio)] == [{"name": "Company 1"}]


def test_update_mode_skips_what_is_not_there(shop: Shop, attio: Sandbox, adopting: Activation) -> None:
    Activation.objects.update(mode="update")
    adopting.refresh_from_db()
    fill(shop, 1, 2, 3)
    arrange(attio, {"records": {"companies": [there(1), there(2, name="Other")]}})
    done = run(adopting)
    assert (done.matched, done.accepted, done.skipped) == (1, 1, 1)


def test_intercom_companies_are_compared_one_by_one(shop: Shop, intercom: Sandbox, to_intercom: Activation) -> None:
    shop.fill(3)
    run(to_intercom)
    Activation.objects.update(compare_first=True, start_afresh=True)
    to_intercom.refresh_from_db()
    shop.set(3, "plan", "free")
    writes(intercom)
    done = run(to_intercom, full=True)
    assert (done.matched, done.accepted, done.lookup_requests) == (2, 1, 3)
    assert [entry["body"] for entry in writes(intercom)] == [{"plan": "free"}]


def test_service_decides_unless_somebody_chose(
    shop: Shop, intercom: Sandbox, to_intercom: Activation, to_attio: Activation
) -> None:
    shop.fill(2)
    assert [run(activation).lookup_requests for activation in (to_attio, to_intercom)] == [1, 0]
    Activation.objects.filter(pk=to_attio.pk).update(compare_first=False, start_afresh=True)
    Activation.objects.filter(pk=to_intercom.pk).update(compare_first=True, start_afresh=True)
    again = Activation.objects.in_bulk()
    assert [run(again[each.pk], full=True).lookup_requests for each in (to_attio, to_intercom)] == [0, 2]


def test_nothing_is_compared_unless_it_was_chosen(shop: Shop, attio: Sandbox, adopting: Activation) -> None:
    Activation.objects.update(compare_first=False)
    adopting.refresh_from_db()
    adopting.mappings.filter(target="primary_location.locality").delete()
    fill(shop, 1)
    arrange(attio, {"records": {"companies": [there(1)]}})
    done = run(adopting)
    assert (done.matched, done.accepted, done.lookup_requests) == (0, 1, 0)


class Comparing(Movable):
    """Returns the values of its records, as it stores them."""

    slug = "memory.comparing"
    compares = True

    def same(self, field: Field, wire: Wire, held: Held, *, adds: bool = False) -> bool:
        return held.values.get(field.name) == wire


@pytest.mark.parametrize("before", [True, False], ids=["before the commit", "after the commit"])
@pytest.mark.parametrize("step", range(1, 14))
def test_worker_killed_while_comparing_loses_and_repeats_nothing(
    begin: Callable[[type[Movable]], Story], step: int, before: bool
) -> None:
    story = begin(Comparing)
    Activation.objects.update(compare_first=True)
    story.rows(*((str(n), f"m{n}", "A", "B") for n in range(1, 7)))
    equal = {story.vendor.add(f"m{n}", {"a": "A", "b": "B"}) for n in (1, 2)}
    differing = {story.vendor.add(f"m{n}", {"a": "A", "b": "theirs", "d": "theirs"}) for n in (3, 4)}
    requested = requests.request(story.activation, "schedule", enqueue=False)
    story.environment.kill.arm(step, before)
    with suppress(Killed):
        story.resume(requested.pk)
    story.environment.kill.arm(None, before)
    Run.objects.update(lease_until=datetime.now(UTC) - timedelta(minutes=1))
    done = story.resume(requested.pk)
    assert story.at_vendor() == {f"m{n}": ("A", "B") for n in range(1, 7)}
    sent = [(request.remote_id, dict(request.values)) for request in story.vendor.requests]
    assert not [values for remote_id, values in sent if remote_id in equal]
    assert all(values == {"b": "B"} for remote_id, values in sent if remote_id in differing)
    assert (done.matched + done.accepted, done.unknown + done.not_sent) == (6, 0)
    story.vendor.requests.clear()
    assert (story.run().planned, story.vendor.requests) == (0, [])
