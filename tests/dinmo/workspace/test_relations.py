"""Relations, conditions on related rows, segments of segments and limits in the workspace file, in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dinmo.workspace import apply as applying
from dinmo.workspace import export, from_database, problems, sources
from segments.models import Relation, Segment
from tests.dinmo import shop

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db
CUT = shop.WORKSPACE.split("segments:")[0]
FILE = (
    CUT
    + """\
relations:
  - {from: Paying.id, to: Companies.id}
segments:
  - name: Chosen
    model: Companies
    tags: [eu, "paying, well"]
    where:
      all:
        - {related: Paying, has: at_least, count: 1, where: {all: [{field: name, is: starts_with, value: A}]}}
        - {related: Paying, through: Paying.id, max: id, is: between, value: [1, 5]}
        - {related: Paying, has: none, where: {any: [{field: domain, is: empty}]}}
        - {segment: Norwegians, is: not_member}
    limit: {rows: 5, order_by: mrr, descending: true}
  - name: Norwegians
    model: Companies
    where: {all: [{field: country, is: equals, value: "NO"}]}
"""
)


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, settings: Any) -> None:
    settings.SOURCE_FILES_ROOT = tmp_path
    shop.make(tmp_path)


def applied(text: str) -> list[str]:
    return list(applying.apply(text, {}, sources.columns).lines())


def test_applying_twice_or_applying_an_export_changes_nothing() -> None:
    applied(FILE)
    assert str(Relation.objects.get()) == "Paying.id → Companies.id"
    assert applied(FILE)[-1] == "Nothing changed."
    written = export.text(from_database.read())
    assert "- {from: Paying.id, to: Companies.id}" in written
    assert "limit: {rows: 5, order_by: mrr, descending: true}" in written
    assert applied(written)[-1] == "Nothing changed."
    before = from_database.read()
    Segment.objects.all().delete()
    Relation.objects.all().delete()
    applied(written)
    assert from_database.read() == before


def test_segment_may_refer_to_one_further_down_but_not_in_a_circle() -> None:
    applied(FILE)
    circle = FILE.replace('{field: country, is: equals, value: "NO"}', "{segment: Chosen, is: member}")
    with pytest.raises(problems.Refused) as refused:
        applied(circle)
    sentences = [problem.sentence for problem in refused.value.problems]
    assert any("Norwegians → Chosen → Norwegians" in sentence for sentence in sentences)
    assert Segment.objects.get(name="Norwegians").where["all"][0]["field"] == "country"
