"""Two activations that write the same attribute: which ones count, and whose value stays."""

from __future__ import annotations

from typing import Any

import pytest

from activations.setup import writers
from activations.setup.writers import CONFLICT, Mapped, Writer
from destinations.registry import services

ATTIO = services["attio.companies"]


def mapped(target: str, column: str = "name", **more: Any) -> Mapped:
    return Mapped(target, writers.source_of(1, column, "", None), **more)


def writer(name: str, *attributes: Mapped, **more: Any) -> Writer:
    return Writer(name, "attio.companies", "w", attributes, **more)


def shared(mine: Writer, *others: Writer) -> list[tuple[str, tuple[str, ...], str]]:
    return [(each.other.name, each.attributes, each.effect) for each in writers.shared(ATTIO, mine, others)]


def effect(mine: Mapped, theirs: Mapped) -> str:
    ((_, _, found),) = shared(writer("A", mine), writer("B", theirs))
    return found


def test_different_columns_for_one_attribute_replace_each_other() -> None:
    found = shared(
        writer("A", mapped("name"), mapped("description"), mapped("twitter")),
        writer("B", mapped("name", "title"), mapped("description", "text"), mapped("facebook")),
        writer("C", mapped("linkedin")),
    )
    assert found == [("B", ("name", "description"), CONFLICT)]


@pytest.mark.parametrize(("mine", "theirs"), [("whole", "part"), ("part", "whole")])
def test_whole_attribute_and_its_part_replace_each_other(mine: str, theirs: str) -> None:
    names = {"whole": "primary_location", "part": "primary_location.locality"}
    found = shared(writer("A", mapped(names[mine])), writer("B", mapped(names[theirs], "city")))
    assert found == [("B", (names[theirs],), CONFLICT)]


def test_two_parts_of_an_attribute_are_two_attributes() -> None:
    first, second = mapped("primary_location.locality"), mapped("primary_location.region", "region")
    assert shared(writer("A", first), writer("B", second)) == []
    assert [names for _, names, _ in shared(writer("A", first), writer("B", first, second))] == [(first.target,)]


def test_several_parts_are_named_once_each_for_the_whole() -> None:
    parts = [mapped(f"primary_location.{part}", part) for part in ("locality", "region")]
    (found,) = writers.shared_by_attribute(ATTIO, writer("A", mapped("primary_location")), [writer("B", *parts)])[
        "primary_location"
    ]
    assert found.attributes == ("primary_location.locality", "primary_location.region")


def test_same_column_of_the_same_model_writes_the_same_value() -> None:
    assert effect(mapped("name"), mapped("name")) == writers.SAME
    assert effect(mapped("name"), Mapped("name", writers.source_of(2, "name", "", None))) == CONFLICT
    cleared = Mapped("name", writers.source_of(1, "name", "", None, "clear"))
    assert effect(cleared, Mapped("name", writers.source_of(1, "name", "", None, "keep"))) == CONFLICT


def test_same_fixed_value_is_the_same_whatever_the_model() -> None:
    first, second = (Mapped("name", writers.source_of(model, "", "", "Customer")) for model in (1, 2))
    assert effect(first, second) == writers.SAME
    assert effect(first, Mapped("name", writers.source_of(1, "", "", "Lead"))) == CONFLICT
    number, text = (Mapped("name", writers.source_of(1, "", "", value)) for value in (12, "12"))
    assert effect(number, text) == writers.SAME


@pytest.mark.parametrize("policy", ["if_empty", "on_create"])
def test_policy_that_holds_back_never_replaces(policy: str) -> None:
    held, free = mapped("name", policy=policy), mapped("name", "title")
    words = writers.HOLDS_BACK[policy]
    assert effect(held, free) == f"This activation writes {words}, so it never replaces a value of “B”."
    assert effect(free, held) == f"“B” writes {words}, so it never replaces a value of this activation."
    assert effect(held, held) == writers.NEITHER


def test_insert_mode_never_replaces() -> None:
    assert [writers.policy_of(mode, "always") for mode in ("insert", "update", "upsert")] == [
        "on_create", "always", "always",
    ]  # fmt: skip


@pytest.mark.parametrize("policy", ["always", "restore"])
def test_policies_that_overwrite_are_a_conflict(policy: str) -> None:
    assert effect(mapped("name", policy=policy), mapped("name", "title")) == CONFLICT


def test_lists_that_both_add_to_keep_the_values_of_both() -> None:
    adding = mapped("categories", "tags", adds=True)
    assert effect(adding, mapped("categories", "labels", adds=True)) == writers.ADDED
    assert effect(adding, mapped("categories", "labels")) == CONFLICT
    assert effect(adding, mapped("categories", "tags")) == CONFLICT


def test_draft_is_named_and_is_no_conflict_yet() -> None:
    (found,) = writers.shared(ATTIO, writer("A", mapped("name")), [writer("B", mapped("name", "title"), is_draft=True)])
    assert not found.is_conflict
    assert str(found).startswith("“B” (a draft) also writes “name”. If both send the same record, the last run wins.")


def test_conflicts_come_first_and_attributes_have_their_labels() -> None:
    found = writers.shared(
        ATTIO,
        writer("A", mapped("name"), mapped("description")),
        [
            writer("B", mapped("name"), mapped("description", "text"), is_draft=True),
            writer("C", mapped("name", "title")),
        ],
    )
    assert [(each.other.name, each.is_conflict) for each in found] == [("C", True), ("B", False), ("B", False)]
    assert found[0].words({"name": "Company name"}).startswith("also writes “Company name”. ")
