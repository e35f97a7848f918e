"""A new user's first session on each engine, with the requests of a browser: the segment matches hand-written SQL."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from segments.models import DataModel, Relation, Segment, Source
from segments.reading import read
from segments.registry import engines
from tests.segments.renewals import COMPANIES, SHOPS, Shop, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from django.test import Client

pytestmark = pytest.mark.django_db
ORDERS = {"field": "amount", "is": "greater_than", "value": "100"}
WHERE = {
    "all": [
        {"field": "mrr", "is": "greater_than", "value": "0"},
        {"field": "country", "is": "one_of", "value": ["FR", "DE"]},
        {"field": "renewed_at", "is": "in_the_last", "value": "30 days"},
        {"related": "Orders", "has": "at_least", "count": 2, "where": {"all": [ORDERS]}},
        {"segment": "Churned", "is": "not_member"},
    ]
}


@pytest.fixture(params=SHOPS)
def shop(request: pytest.FixtureRequest, tmp_path: Path, settings: Any) -> Iterator[tuple[str, Shop]]:
    settings.SOURCE_FILES_ROOT = tmp_path
    with opened(request.param, tmp_path) as shop:
        yield request.param, shop


def save(staff: Client, path: str, **fields: Any) -> None:
    """Submits the form of a new object, which must be accepted without errors."""
    answer = staff.post(f"/admin/segments/{path}", {"_save": "Save", **fields})
    assert answer.status_code == 302, answer.context["adminform"].form.errors


def test_a_segment_built_in_the_browser_matches_hand_written_sql(staff: Client, shop: tuple[str, Shop]) -> None:
    slug, given = shop
    defaults = {parameter.name: parameter.default for parameter in engines[slug].parameters if parameter.default}
    settings = {f"setting_{name}": value for name, value in {**defaults, **given.form}.items()}
    save(staff, f"source/add/?engine={slug}", name="Shop", timezone="UTC", **settings)
    source = Source.objects.get()
    for name, table in (("Companies", "companies"), ("Orders", "orders")):
        assert given.schema + table in staff.get(f"/api/sources/{source.pk}/tables/").json()["tables"]
        rows = {"shape": "table", "table": given.schema + table, "primary_key": "id"}
        save(staff, "datamodel/add/", name=name, source=source.pk, kind="custom", **rows)
    orders, companies = DataModel.objects.get(name="Orders"), DataModel.objects.get(name="Companies")
    staff.post(f"/admin/segments/datamodel/{orders.pk}/do/relate/")
    assert str(Relation.objects.get()) == "Orders.company_id → Companies.id"

    churned = {"all": [{"field": "churned", "is": "equals", "value": "true"}]}
    save(staff, "segment/add/", name="Churned", model=companies.pk, where=json.dumps(churned), limit="{}", tags="")
    body = {"model": companies.pk, "where": WHERE, "limit": {}, "total": True}
    preview = staff.post("/api/segments/preview/", body, content_type="application/json").json()
    assert (preview["count"], preview["total"]) == (len(given.by_hand), COMPANIES)
    save(staff, "segment/add/", name="Paying", model=companies.pk, where=json.dumps(WHERE), limit="{}", tags="")

    with read.stream(read.selection(Segment.objects.get(name="Paying")), ["id"], now=timezone.now()) as stream:
        ids = sorted(int(value) for batch in stream.batches for value in batch.column(0).to_pylist())
    assert ids == given.by_hand
    assert len(ids) > 3
