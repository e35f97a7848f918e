"""Lines of a file that can't be read, in a run of a source that skips them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from segments.sources.discovery import refresh_columns
from tests.activations.conftest import Shop, run, writes

if TYPE_CHECKING:
    from activations.models import Activation
    from destinations.sandbox.base import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def file_source(shop: Shop, companies: Any) -> Any:
    """The model of companies, read from a CSV file beside the shop's database. It skips bad lines."""
    source = companies.source
    source.engine, source.config = "csv", {"path": "companies.csv", "bad_lines": "skip"}
    source.save()
    companies.table = "companies"
    return companies


def write(shop: Shop, *lines: str) -> None:
    text = "\n".join(["id,name,domain,description,plan,seats", *lines])
    (shop.path.parent / "companies.csv").write_text(text + "\n")


def test_bad_lines_are_invalid_records_of_the_run(
    shop: Shop, attio: Sandbox, file_source: Any, to_attio: Activation
) -> None:
    write(shop, "1,A,a.com,x,pro,1", "2,B,b.com", '3,"C"c,c.com,x,pro,1', "4,D,d.com,x,pro,1")
    refresh_columns(file_source)
    done = run(to_attio)
    assert (done.state, done.rows, done.accepted, done.invalid) == ("completed_with_warnings", 4, 2, 2)
    messages = done.changes.filter(outcome="invalid", code="line_unreadable").values_list("message", flat=True)
    assert list(messages) == [
        "Line 3 of the file “companies.csv” has 3 values, but the first line names 6 columns.",
        "Line 4 of the file “companies.csv” has text after a closing quotation mark.",
    ]
    assert len(writes(attio)) == 2
    again = run(to_attio)
    assert (again.rows, again.unchanged, again.invalid, again.planned) == (4, 2, 2, 0)
    write(shop, "1,A,a.com,x,pro,1", "2,B,b.com,x,pro,1", "3,C,c.com,x,pro,1", "4,D,d.com,x,pro,1")
    mended = run(to_attio)
    assert (mended.state, mended.rows, mended.accepted, mended.invalid) == ("succeeded", 4, 2, 0)


def test_many_bad_lines_are_all_counted_and_the_first_listed(
    shop: Shop, attio: Sandbox, file_source: Any, to_attio: Activation
) -> None:
    write(shop, "1,A,a.com,x,pro,1", *["bad"] * 1_200)
    refresh_columns(file_source)
    done = run(to_attio)
    assert (done.rows, done.accepted, done.invalid) == (1_201, 1, 1_200)
    assert done.changes.filter(code="line_unreadable").count() == 1_000
