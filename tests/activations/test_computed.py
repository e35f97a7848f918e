"""Computed fields in whole runs: a changed order changes one attribute of its company, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from activations.setup import rules, spec_from_db
from segments.integrity import computed_fields
from segments.models import ComputedField, DataModel, Relation
from segments.sources.discovery import refresh_columns
from tests.activations.conftest import Shop, map_fields, run, segment, writes

if TYPE_CHECKING:
    from activations.models import Activation
    from destinations.sandbox.base import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
OVER_100 = {"all": [{"field": "amount", "is": "greater_than", "value": 100}]}
BIG = {
    "labels": [{"label": "big", "where": {"all": [{"field": "total", "is": "at_least", "value": 1}]}}],
    "otherwise": "small",
}


@pytest.fixture
def with_orders(shop: Shop, companies: DataModel) -> DataModel:
    """Companies with the total of their orders, the number of those over 100, and a label."""
    shop.run("create table orders (id integer primary key, company_id integer, amount real)")
    orders = DataModel.objects.create(name="Orders", source=companies.source, table="orders", primary_key="id")
    refresh_columns(orders)
    Relation.objects.create(from_model=orders, from_column="company_id", to_model=companies, to_column="id")
    total = {"related": "Orders", "sum": "amount"}
    for name, definition in (
        ("total", total),
        ("over 100", {"related": "Orders", "count": True, "where": OVER_100}),
        ("size", BIG),
    ):
        field = ComputedField(model=companies, name=name, definition=definition)
        computed_fields.prepare(field)
        field.save()
    shop.fill(4)
    # In floating point, their sum depends on their order.
    shop.run("insert into orders values (?, ?, ?)", (1, 1, 0.1), (2, 1, 0.2), (3, 1, 0.3), (4, 2, 150.0))
    return companies


@pytest.fixture
def with_totals(with_orders: DataModel, to_intercom: Activation) -> Activation:
    custom = {"column": "total", "target": "total", "custom_attribute": True}
    to_intercom.mappings.filter(target="plan").update(column="size")
    return map_fields(to_intercom, custom)


def test_new_order_updates_only_one_attribute_and_reordered_rows_update_nothing(
    shop: Shop, intercom: Sandbox, with_totals: Activation
) -> None:
    first = run(with_totals)
    assert (first.state, first.accepted) == ("succeeded", 4)
    sent = {entry["body"]["company_id"]: entry["body"] for entry in writes(intercom) if entry["path"] == "/companies"}
    assert {key: (body["plan"], body["custom_attributes"]) for key, body in sent.items()} == {
        "1": ("small", {"total": 0.6}),
        "2": ("big", {"total": 150}),
        "3": ("small", {"total": 0}),
        "4": ("small", {"total": 0}),
    }
    shop.run("update orders set id = 9 where id = 1")
    assert run(with_totals).write_requests == 0
    shop.run("insert into orders values (10, 2, 0.25)")
    assert run(with_totals).write_requests == 1
    (update,) = writes(intercom)
    assert update["body"] == {"custom_attributes": {"total": 150.25}}


def test_segment_can_filter_by_a_computed_field(shop: Shop, intercom: Sandbox, with_totals: Activation) -> None:
    with_totals.segment = segment(
        with_totals.data_model, {"all": [{"field": "over 100", "is": "at_least", "value": 1}]}
    )
    with_totals.model = None
    with_totals.save()
    assert run(with_totals).rows == 1


def test_records_are_not_matched_by_a_computed_field(with_totals: Activation) -> None:
    with_totals.match_column = "size"
    (problem,) = rules.offline(spec_from_db.spec(with_totals))
    assert (
        problem.message
        == "“size” is a computed field, which can change when other rows do. Match records by a column of the source."
    )
