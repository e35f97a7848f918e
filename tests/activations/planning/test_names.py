"""The value of the model's display column names each change, and makes no row differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from activations.models import Activation, Change
from segments.models import DataModel
from segments.sources.discovery import refresh_columns
from tests.activations.conftest import Shop, map_fields, run

if TYPE_CHECKING:
    from destinations.sandbox.base import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def activation(to_intercom: Activation) -> Activation:
    """It sends only the plan, so that the name is a column of its own."""
    to_intercom.mappings.filter(target="name").delete()
    return to_intercom


def displayed(column: str) -> None:
    DataModel.objects.update(display_column=column)


def names(activation: Activation) -> dict[str, str]:
    done = run(Activation.objects.get(pk=activation.pk))
    return dict(Change.objects.filter(run=done).values_list("key", "name"))


def test_changes_and_settled_rows_have_a_name(activation: Activation, shop: Shop, intercom: Sandbox) -> None:
    shop.add(
        (1, "  Acme\n\u2028 Inc\x00 ", "a.com", "", "pro", 1),
        (2, "B" * 300, "b.com", "", "x" * 300, 1),
        (3, None, "c.com", "", "pro", 1),
    )
    map_fields(activation, {"column": "seats", "target": "size"})
    displayed("name")
    assert names(activation) == {"1": "Acme Inc", "2": "B" * 200, "3": ""}


def test_a_display_column_or_a_new_name_makes_no_row_differ(
    activation: Activation, shop: Shop, intercom: Sandbox
) -> None:
    shop.fill(3)
    displayed("")
    assert names(activation) == {"1": "", "2": "", "3": ""}
    displayed("name")
    shop.set(2, "name", "Other")
    unchanged = run(Activation.objects.get(pk=activation.pk))
    assert (unchanged.unchanged, unchanged.planned) == (3, 0)
    shop.set(2, "plan", "free")
    assert names(activation) == {"2": "Other"}


def test_a_display_column_that_vanished_fails_no_run(activation: Activation, shop: Shop, intercom: Sandbox) -> None:
    shop.fill(2)
    displayed("name")
    shop.run("alter table companies drop column name")
    assert names(activation) == {"1": "", "2": ""}
    refresh_columns(DataModel.objects.get())
    shop.set(1, "plan", "free")
    assert names(activation) == {"1": ""}


def test_duplicates_have_the_names_of_their_rows(activation: Activation, shop: Shop, intercom: Sandbox) -> None:
    shop.run("create table twice as select * from companies")
    shop.run("insert into twice (id, name, plan) values (?, ?, ?)", (1, "Acme", "pro"), (1, "Acme", "free"))
    DataModel.objects.update(table="twice", display_column="name")
    assert names(activation) == {"1": "Acme"}
