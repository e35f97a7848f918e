"""A run that sends one record, as a test: it does what a run would do with this record, and nothing else."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from activations.models import Activation, Change, Record, Run, Warning
from segments.models import SegmentSize
from tests.activations.conftest import Shop, run, segment, writes
from tests.activations.vendor import Immovable, Movable

if TYPE_CHECKING:
    from collections.abc import Callable

    from destinations.sandbox.base import Sandbox
    from tests.activations.memory_story import Story

pytestmark = pytest.mark.django_db(transaction=True)


def others(key: str) -> list[Any]:
    return list(Record.objects.exclude(key=key).order_by("key").values())


def test_only_this_record_is_sent_and_the_next_run_sends_the_others(
    to_attio: Activation, shop: Shop, attio: Sandbox
) -> None:
    shop.fill(4)
    test = run(to_attio, "manual", only_key="3")
    assert (test.state, test.rows, test.accepted, test.left) == ("succeeded", 1, 1, 0)
    assert [record.key for record in Record.objects.all()] == ["3"]
    assert len(writes(attio)) == 1
    following = run(to_attio)
    assert (following.accepted, following.unchanged, following.left) == (3, 1, 0)


def test_nothing_changes_about_any_other_record(to_attio: Activation, shop: Shop, attio: Sandbox) -> None:
    shop.fill(5)
    run(to_attio)
    shop.run("delete from companies where id = 5")
    shop.set(2, "name", "Second")
    shop.set(3, "name", "Third")
    before = others("2")
    writes(attio)
    test = run(to_attio, "manual", only_key="2")
    assert (test.kind, test.accepted, test.unchanged, test.left) == ("delta", 1, 0, 0)
    assert others("2") == before
    assert len(writes(attio)) == 1
    following = run(to_attio)
    assert (following.accepted, following.unchanged, following.left) == (1, 3, 1)


def test_an_unchanged_record_is_not_sent_again(to_attio: Activation, shop: Shop, attio: Sandbox) -> None:
    shop.fill(2)
    run(to_attio)
    writes(attio)
    test = run(to_attio, "manual", only_key="1")
    assert (test.state, test.accepted, test.unchanged, writes(attio)) == ("succeeded", 0, 1, [])


@pytest.mark.parametrize("key", ["99", "many", "1 or 1=1", ""])
def test_a_key_without_a_row_ends_in_a_plain_message(to_attio: Activation, shop: Shop, key: str) -> None:
    shop.fill(2)
    if not key:
        shop.run("update companies set id = 7 where id = 2")
        key = "2"
    test = run(to_attio, "manual", only_key=key)
    assert (test.state, test.error_code) == ("failed", "record_absent")
    assert f"has no record with the key “{key}”" in test.error_message
    assert not Record.objects.exists()


def test_a_record_outside_the_segment_or_beyond_its_limit_is_absent(to_attio: Activation, shop: Shop) -> None:
    shop.fill(5)
    chosen = segment(to_attio.data_model, {"all": [{"field": "seats", "is": "at_least", "value": 2}]})
    chosen.limit = {"rows": 2, "order_by": "seats"}
    chosen.save()
    Activation.objects.update(model=None, segment=chosen)
    activation = Activation.objects.get()
    assert run(activation, "manual", only_key="1").error_code == "record_absent"
    assert run(activation, "manual", only_key="5").error_code == "record_absent"
    assert run(activation, "manual", only_key="3").accepted == 1
    assert not SegmentSize.objects.exists()


def test_sizes_are_not_compared_with_a_test(to_attio: Activation, shop: Shop) -> None:
    shop.fill(10)
    run(to_attio)
    run(to_attio, "manual", only_key="1")
    assert run(to_attio).state == "succeeded"
    assert not Warning.objects.exists()


def test_an_invalid_record_is_listed_each_time_it_is_tested(to_attio: Activation, shop: Shop) -> None:
    shop.add((1, "Acme", None, "", "pro", 1))
    run(to_attio)
    for _ in range(2):
        test = run(to_attio, "manual", only_key="1")
        assert [(change.outcome, change.code) for change in test.changes.all()] == [("invalid", "match_empty")]


def test_two_rows_with_the_key_are_both_refused(companies: Any, to_attio: Activation, shop: Shop) -> None:
    shop.run("create table twice (id integer, name text, domain text, description text, plan text, seats integer)")
    shop.run("insert into twice values (?, ?, ?, ?, ?, ?)", (1, "A", "a.com", "", "", 1), (1, "B", "b.com", "", "", 1))
    companies.table = "twice"
    companies.save()
    test = run(Activation.objects.get(), "manual", only_key="1")
    assert (test.accepted, test.invalid, test.changes.get().code) == (0, 2, "duplicate_key")


def test_the_record_of_a_different_row_is_never_overwritten(to_attio: Activation, shop: Shop, attio: Sandbox) -> None:
    shop.fill(2)
    run(to_attio)
    shop.add((3, "Third", "company1.com", "", "pro", 3))
    writes(attio)
    before = others("3")
    test = run(to_attio, "manual", only_key="3")
    change = Change.objects.get(run=test)
    assert (change.outcome, change.code, writes(attio)) == ("invalid", "match_held", [])
    assert "belongs to the record of “1”, a different row" in change.message
    assert (others("3"), test.invalid) == (before, 1)
    assert (run(to_attio).invalid, writes(attio)) == (2, [])


def test_a_rejected_record_is_tested_without_waiting(to_attio: Activation, shop: Shop, attio: Sandbox) -> None:
    shop.fill(1)
    shop.set(1, "description", "x")
    to_attio.mappings.filter(target="description").update(target="employee_range")
    first = run(Activation.objects.get(), "manual", only_key="1")
    assert first.accepted == 0
    assert Run.objects.filter(only_key="1").count() == 1


@pytest.mark.parametrize("service", [Movable, Immovable])
@pytest.mark.parametrize("seed", range(6))
def test_tests_between_runs_change_nothing_else_and_hide_nothing(
    begin: Callable[[type[Movable]], Story], service: type[Movable], seed: int
) -> None:
    """Rows swap, share and lose match values at random. After all, every row that can be sent is at the vendor.

    A match value of a record that left stays taken at the vendor, as it does without any tests.
    """
    story, chance = begin(service), random.Random(seed)
    rows: list[tuple[str, str, str, str]] = []
    for _ in range(8):
        keys = chance.sample("12345", chance.randint(2, 5))
        rows = [(key, chance.choice("mnopq"), chance.choice("AB"), chance.choice("AB")) for key in keys]
        story.rows(*rows)
        if chance.random() < 0.5:
            story.run()
        key = chance.choice("12345")
        before, theirs = others(key), at_vendor_of_others(story, key)
        story.run("manual", only_key=key)
        assert (others(key), at_vendor_of_others(story, key)) == (before, theirs)
    story.run("manual")
    refused = story.run("manual").changes.filter(code="taken").values_list("key", flat=True)
    matches = Counter(match for _, match, _, _ in rows)
    wanted = {match: (x, y) for key, match, x, y in rows if matches[match] == 1 and key not in refused}
    assert {match: story.at_vendor()[match] for match in wanted} == wanted
    assert story.run("manual").planned == len(refused)


def at_vendor_of_others(story: Story, key: str) -> dict[str, Any]:
    """The vendor's records that belong to rows with a different key."""
    owners = dict(Record.objects.filter(accepted_at__isnull=False, left_at=None).values_list("key", "remote_id"))
    mine = owners.pop(key, "")
    return {remote: dict(story.vendor.records[remote]) for remote in owners.values() if remote and remote != mine}
