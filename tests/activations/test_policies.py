"""Each field is written as its policy says: always, only if empty at the destination, or only with a new record."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from activations.models import Activation, Change, FieldMapping, Run
from activations.runs import requests
from tests.activations.conftest import run, writes
from tests.activations.vendor import KILLED_AFTER, LOST_AFTER, LOST_BEFORE, Client, Killed, Movable

if TYPE_CHECKING:
    from collections.abc import Callable

    from destinations.contract import Field, Held, Wire
    from destinations.sandbox.base import Sandbox
    from tests.activations.conftest import Shop
    from tests.activations.memory_story import Story

pytestmark = pytest.mark.django_db(transaction=True)


class Comparing(Movable):
    """Returns the values of its records, as it stores them."""

    slug = "memory.comparing"
    compares = True

    def same(self, field: Field, wire: Wire, held: Held, *, adds: bool = False) -> bool:
        return held.values.get(field.name) == wire

    def is_empty(self, field: Field, held: Held) -> bool:
        return held.values.get(field.name) is None

    def read(self, client: Client, match_field: Field, remote_id: str) -> Held | None:
        client.vendor.lookups += 1
        return self.held(client, remote_id) if remote_id in client.vendor.records else None


@pytest.fixture
def story(begin: Callable[[type[Movable]], Story]) -> Story:
    """Writes a always and b only if it is empty. Compares nothing else."""
    told = begin(Comparing)
    Activation.objects.update(compare_first=False)
    set_policies(told, b="if_empty")
    return told


def set_policies(story: Story, **policies: str) -> None:
    for target, policy in policies.items():
        mapping = story.activation.mappings.get(target=target)
        mapping.policy = policy
        mapping.save()


def test_filled_field_of_a_new_record_is_kept(story: Story) -> None:
    story.rows(("1", "m1", "A", "B"), ("2", "m2", "A", "B"), ("3", "m3", "A", "B"), ("4", "m4", "A", "B"))
    story.vendor.add("m1", {"b": "theirs"})
    story.vendor.add("m2", {"a": "old"})
    story.vendor.add("m3", {"b": "B"})
    done = story.run()
    assert story.at_vendor() == {"m1": ("A", "theirs"), "m2": ("A", "B"), "m3": ("A", "B"), "m4": ("A", "B")}
    assert (done.accepted, done.created, done.matched, done.kept) == (4, 0, 0, 1)
    assert sorted(sorted(values) for values in story.sent()) == [["a"], ["a"], ["a", "b"], ["a", "b", "key"]]
    assert (story.run().planned, story.sent()) == (0, [])


def test_kept_field_is_listed_with_its_record(story: Story) -> None:
    story.rows(("1", "m1", "A", "B"), ("2", "m2", "A", "B"))
    story.vendor.add("m1", {"a": "A", "b": "theirs"})
    done = story.run()
    assert (done.matched, done.accepted, done.kept) == (1, 1, 1)
    change = Change.objects.get(key="1")
    assert (change.outcome, change.code, change.kept, change.sent) == ("matched", "kept", ["b"], [])
    assert Change.objects.get(key="2").kept is None


def test_known_record_is_read_only_if_a_policy_depends_on_it(story: Story) -> None:
    story.rows(("1", "m1", "A", "B"))
    story.run()
    story.sent()
    story.rows(("1", "m1", "A2", "B"))
    assert story.run().lookup_requests == 0
    assert story.sent() == [{"a": "A2"}]
    story.rows(("1", "m1", "A3", "B3"))
    done = story.run()
    assert (done.accepted, done.kept) == (1, 1)
    assert story.sent() == [{"a": "A3"}]
    story.rows(("1", "m1", "A3", "B4"))
    done = story.run()
    assert (done.matched, done.kept, story.sent()) == (1, 1, [])
    assert (story.run().planned, story.at_vendor()) == (0, {"m1": ("A3", "B")})


def test_emptied_field_is_filled_when_its_source_changes(story: Story) -> None:
    story.rows(("1", "m1", "A", "B"))
    story.run()
    story.vendor.records["r1"]["b"] = None
    assert story.run().planned == 0
    story.rows(("1", "m1", "A", "B2"))
    assert (story.run().kept, story.at_vendor()) == (0, {"m1": ("A", "B2")})


def test_filled_field_is_never_cleared(story: Story) -> None:
    story.rows(("1", "m1", "A", "B"))
    story.run()
    story.rows(("1", "m1", "A", None))
    assert (story.run().kept, story.at_vendor()) == (1, {"m1": ("A", "B")})


def test_field_of_a_known_record_is_not_updated_once_it_was_created(story: Story) -> None:
    set_policies(story, b="on_create")
    story.rows(("1", "m1", "A", "B"), ("2", "m2", "A", "B"))
    story.vendor.add("m2", {})
    first = story.run()
    assert (story.at_vendor(), first.kept) == ({"m2": ("A", None), "m1": ("A", "B")}, 1)
    story.sent()
    story.rows(("1", "m1", "A", "B2"), ("2", "m2", "A2", "B2"))
    lookups = story.vendor.lookups
    second = story.run()
    assert (story.sent(), story.vendor.lookups - lookups) == ([{"a": "A2"}], 0)
    assert (second.matched, second.accepted, second.kept) == (1, 1, 2)
    assert story.run().planned == 0


def test_record_that_was_deleted_is_created_with_everything(story: Story) -> None:
    set_policies(story, b="on_create")
    story.rows(("1", "m1", "A", "B"))
    story.run()
    story.vendor.records.clear()
    story.rows(("1", "m1", "A2", "B2"))
    done = story.run()
    assert (story.at_vendor(), done.accepted, done.kept) == ({"m1": ("A2", "B2")}, 1, 0)
    assert Change.objects.filter(run=done).get().kept is None


def test_deleted_record_whose_match_leads_elsewhere_keeps_what_is_there(story: Story) -> None:
    story.rows(("1", "m1", "A", "B"))
    story.run()
    story.vendor.records.clear()
    story.vendor.add("m1", {"b": "theirs"})
    story.rows(("1", "m1", "A2", "B"))
    assert (story.run().kept, story.at_vendor()) == (1, {"m1": ("A2", "theirs")})


def test_on_create_works_without_values_of_the_vendor(begin: Callable[[type[Movable]], Story]) -> None:
    story = begin(Movable)
    set_policies(story, b="on_create")
    story.rows(("1", "m1", "A", "B"), ("2", "m2", "A", "B"))
    story.vendor.add("m1", {"b": "theirs"})
    done = story.run()
    assert (story.at_vendor(), done.kept) == ({"m1": ("A", "theirs"), "m2": ("A", "B")}, 1)


def test_update_mode_follows_policies(story: Story) -> None:
    Activation.objects.update(mode="update")
    story.rows(("1", "m1", "A", "B"), ("2", "m2", "A", "B"), ("3", "m3", "A", "B"))
    story.vendor.add("m1", {"b": "theirs"})
    story.vendor.add("m2", {})
    done = story.run()
    assert story.at_vendor() == {"m1": ("A", "theirs"), "m2": ("A", "B")}
    assert (done.accepted, done.skipped, done.kept) == (2, 1, 1)


def test_insert_mode_creates_with_everything(story: Story) -> None:
    Activation.objects.update(mode="insert")
    set_policies(story, a="on_create")
    story.rows(("1", "m1", "A", "B"), ("2", "m2", "A", "B"))
    story.vendor.add("m1", {"b": "theirs"})
    done = story.run()
    assert (story.at_vendor(), done.kept) == ({"m1": (None, "theirs"), "m2": ("A", "B")}, 0)


def test_record_with_a_new_match_value_is_read_by_its_id(story: Story) -> None:
    story.rows(("1", "m1", "A", "B"))
    story.run()
    story.sent()
    story.vendor.records["r1"]["b"] = None
    story.rows(("1", "m2", "A", "B2"))
    story.run()
    assert (story.sent(), story.at_vendor()) == ([{"key": "m2", "b": "B2"}], {"m2": ("A", "B2")})
    story.rows(("1", "m3", "A", "B3"))
    assert (story.run().kept, story.at_vendor()) == (1, {"m3": ("A", "B2")})


@pytest.mark.parametrize("policy", ["always", "restore"])
@pytest.mark.parametrize("before", ["if_empty", "on_create"])
def test_field_is_sent_once_its_policy_allows_it(story: Story, before: str, policy: str) -> None:
    set_policies(story, b=before)
    story.rows(("1", "m1", "A", "B"))
    story.vendor.add("m1", {"b": "theirs"})
    story.run()
    story.sent()
    set_policies(story, b=policy)
    done = story.run()
    assert (done.accepted, story.sent(), story.run().planned) == (1, [{"b": "B"}], 0)


def test_a_stricter_policy_sends_nothing(story: Story) -> None:
    set_policies(story, b="always")
    story.rows(("1", "m1", "A", "B"))
    story.run()
    slot = story.activation.mappings.get(target="b").slot
    set_policies(story, b="on_create")
    assert (story.run().planned, story.activation.mappings.get(target="b").slot) == (0, slot)


def test_full_sync_keeps_what_policies_keep(story: Story) -> None:
    story.rows(("1", "m1", "A", "B"), ("2", "m2", "A", "B"))
    story.vendor.add("m1", {"b": "theirs"})
    story.run()
    story.vendor.records["r2"]["b"] = "edited"
    done = story.run("manual", full=True)
    assert (story.at_vendor(), done.kept) == ({"m1": ("A", "theirs"), "m2": ("A", "edited")}, 2)


@pytest.mark.parametrize("fault", [LOST_BEFORE, LOST_AFTER])
def test_lost_answer_is_resolved_by_reading_again(story: Story, fault: str) -> None:
    story.rows(("1", "m1", "A", "B"), ("2", "m2", "A", "B"))
    story.vendor.add("m1", {"a": "A"})
    story.vendor.faults = {"m1": [fault], "m2": [fault]}
    done = story.run()
    assert (story.at_vendor(), done.accepted, done.kept) == ({"m1": ("A", "B"), "m2": ("A", "B")}, 2, 0)
    written = [request for request in story.vendor.requests if request.result == "written"]
    assert len(written) == 2
    assert story.run().planned == 0


def test_value_that_a_person_enters_while_an_answer_is_lost_is_kept(story: Story) -> None:
    story.rows(("1", "m1", "A", "B"))
    story.run()
    story.vendor.records["r1"]["b"] = None
    story.rows(("1", "m1", "A2", "B2"))
    story.vendor.faults = {"m1": [LOST_BEFORE]}
    answer = story.vendor.answer

    def lost(operation: Any) -> Any:
        try:
            return answer(operation)
        finally:
            story.vendor.records["r1"]["b"] = "theirs"

    story.vendor.answer = lost  # type: ignore[method-assign]
    done = story.run()
    assert (story.at_vendor(), done.kept) == ({"m1": ("A2", "theirs")}, 1)


@pytest.mark.parametrize("kept", ["if_empty", "on_create"])
def test_record_that_a_killed_worker_created_is_complete(story: Story, kept: str) -> None:
    set_policies(story, b=kept)
    story.rows(("1", "m1", "A", "B"))
    story.vendor.faults = {"m1": [KILLED_AFTER]}
    run_id = story.run_until_killed()
    done = story.resume(run_id)
    assert (story.at_vendor(), done.accepted + done.matched, done.kept) == ({"m1": ("A", "B")}, 1, 0)
    assert len(story.vendor.requests) == 1


@pytest.mark.parametrize("before", [True, False], ids=["before the commit", "after the commit"])
@pytest.mark.parametrize("compare", [True, False], ids=["compare first", "send everything"])
@pytest.mark.parametrize("step", range(1, 14))
def test_policies_hold_whenever_the_worker_is_killed(story: Story, step: int, compare: bool, before: bool) -> None:
    Activation.objects.update(compare_first=compare)
    FieldMapping(activation=story.activation, column="x", target="c", policy="on_create").save()
    story.rows(*((str(n), f"m{n}", "A", "B") for n in range(1, 4)))
    story.run()
    story.sent()
    for record in story.vendor.records.values():
        record.update(b="theirs", c="theirs")
    story.vendor.add("m4", {"b": "theirs", "c": "theirs"})
    story.vendor.add("m5", {})
    story.rows(*((str(n), f"m{n}", "A2", "B2") for n in range(1, 8)))
    requested = requests.request(story.activation, "schedule", enqueue=False)
    story.environment.kill.arm(step, before)
    with suppress(Killed):
        story.resume(requested.pk)
    story.environment.kill.arm(None, before)
    Run.objects.update(lease_until=datetime.now(UTC) - timedelta(minutes=1))
    done = story.resume(requested.pk)
    assert story.at_vendor("a", "b", "c") == {
        **{f"m{n}": ("A2", "theirs", "theirs") for n in range(1, 5)},
        "m5": ("A2", "B2", None),
        "m6": ("A2", "B2", "A2"),
        "m7": ("A2", "B2", "A2"),
    }
    assert (done.accepted + done.matched, done.kept) == (7, 5)
    assert (story.run().planned, len({c.key for c in Change.objects.filter(run=done)})) == (0, 7)


def test_part_that_is_kept_survives_the_write_of_another_part(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    """Attio writes a location as a whole."""
    Activation.objects.update(compare_first=False)
    to_attio.refresh_from_db()
    FieldMapping(activation=to_attio, column="plan", target="primary_location.locality", policy="if_empty").save()
    FieldMapping(activation=to_attio, column="description", target="primary_location.region").save()
    shop.add((1, "Company 1", "company1.com", "Rhône", "Paris", 1), (2, "Company 2", "company2.com", "IDF", "Paris", 1))
    place = dict.fromkeys(("line_1", "line_2", "line_3", "line_4", "region", "postcode", "country_code", "latitude",
                           "longitude"))  # fmt: skip
    company = {"domains": ["company1.com"], "primary_location": {**place, "locality": "Lyon", "line_1": "1 rue"}}
    with attio.lock:
        attio._switch({"records": {"companies": [company]}})
    assert run(to_attio).kept == 1
    shop.set(1, "description", "Isère")
    assert run(to_attio).kept == 0
    stored = {
        record["values"]["domains"][0]: record["values"]["primary_location"] for record in attio.state()["records"]
    }
    assert [stored["company1.com"][name] for name in ("locality", "region", "line_1")] == ["Lyon", "Isère", "1 rue"]
    assert [stored["company2.com"][name] for name in ("locality", "region")] == ["Paris", "IDF"]


def test_intercom_company_keeps_what_people_entered(shop: Shop, intercom: Sandbox, to_intercom: Activation) -> None:
    to_intercom.mappings.filter(target="plan").update(policy="if_empty")
    shop.fill(2)
    with intercom.lock:
        intercom._switch({"companies": [{"company_id": "1", "name": "Company 1", "plan": "enterprise"}]})
    done = run(to_intercom)
    assert (done.kept, done.created) == (1, 1)
    writes(intercom)
    shop.set(1, "plan", "free")
    shop.set(2, "name", "Renamed")
    again = run(to_intercom)
    assert (again.kept, again.matched, again.lookup_requests) == (1, 1, 1)
    assert [entry["body"] for entry in writes(intercom)] == [{"name": "Renamed"}]
