"""Values converted with loss: which conversions are counted, and when a warning opens."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from activations import digests
from activations import warning_kinds as kinds
from activations.alerts.findings import Summary, findings
from activations.models import Change
from activations.planning.conversion.losses import Losses
from activations.planning.conversion.slots import Layout, Slot
from activations.planning.mapping import Mapper
from destinations.contract import Field
from destinations.registry import services
from segments.contract import ColumnType
from segments.models import DataModel
from tests.activations.conftest import run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.test import Client

    from activations.models import Activation
    from tests.activations.conftest import Shop

ATTIO, INTERCOM = services["attio.companies"], services["intercom.companies"]
DOMAINS = Field("domains", "Domains", "domain", multiple=True, matchable=True, unique=True)
COMPANY = Field("company_id", "Company ID", "string", matchable=True, unique=True)
NUMBER, DATE, NOTE = Field("mrr", "MRR", "number"), Field("day", "Day", "date"), Field("note", "Note", "text")
SINCE = Field("since", "Since", "date", custom=True)
FLOAT = Field("score", "Score", "float", custom=True)
N, T, S, D = ColumnType.NUMBER, ColumnType.TEXT, ColumnType.TIMESTAMP, ColumnType.DATE


def lost(
    field: Field, kind: ColumnType, values: Sequence[str | None], *, rounds: bool = False, zone: str = "UTC"
) -> int:
    """How many of these values are counted, if all rows are sent."""
    service, match = (INTERCOM, COMPANY) if field.custom else (ATTIO, DOMAINS)
    slot = Slot(0, field, "a", rounds=rounds)
    types = {"id": ColumnType.INTEGER, "key": T, "a": kind}
    layout = Layout(service, "id", "key", match, [slot], types, ZoneInfo(zone))
    rows = len(values)
    columns = [[str(row) for row in range(rows)], [f"a{row}.com" for row in range(rows)], list(values)]
    batch = pa.RecordBatch.from_arrays([pa.array(each, pa.string()) for each in columns], names=["id", "key", "a"])
    texts = digests.as_texts(batch.columns)
    losses = Losses(layout)
    losses.note(Mapper(layout).convert(batch, texts).columns, np.ones((rows, 1), dtype=bool), texts)
    return losses.stored().get(field.name, [0, rows])[0]


@pytest.mark.parametrize(
    ("field", "kind", "values", "expected"),
    [
        (NUMBER, N, ["1", "1.5", "1.2345", "1.23450000", "-0.5", None], 0),
        (NUMBER, N, ["1.23456", "0.00001", "-7.123450001"], 3),
        (NUMBER, N, ["12345678901.00001", "1e-9", "12345678901.5"], 2),
        (NUMBER, T, ["1.23456", "1.5", " 2.50 ", "", "n/a"], 1),
        (FLOAT, N, ["0.1", "33.333333333333333333333", "12.0"], 0),
        (DATE, S, ["2026-01-02 00:00:00", "2026-01-02 00:00:00+00", "2026-01-02"], 0),
        (DATE, S, ["2026-01-02 10:30:00", "2026-01-02 00:00:01+00"], 2),
        (DATE, T, ["2026-01-02T10:30:00Z", "2026-01-02"], 1),
        (DATE, D, ["2026-01-02"], 0),
        (SINCE, S, ["2026-01-02 10:30:00+00", "2026-01-02 10:30:00.000+00", "2026-01-02 10:30:00.25+00"], 1),
        (NOTE, T, ["plain", "tab\there", 'quoted "text"', "null\x00 here", "line\u2028break", "1.23456"], 2),
        (NOTE, N, ["1.23456", "2.50"], 0),
    ],
)
def test_values_are_counted_if_something_is_missing(
    field: Field, kind: ColumnType, values: list[str | None], expected: int
) -> None:
    assert lost(field, kind, values) == expected


def test_mapping_that_rounds_counts_what_it_rounds() -> None:
    assert lost(NUMBER, N, ["1.5", "2.0", "3", "0.2", None], rounds=True) == 2


def test_midnight_on_the_source_clocks_loses_no_time() -> None:
    values = ["2026-01-01 23:00:00+00", "2026-01-02 00:00:00+00"]
    assert lost(DATE, S, values, zone="Europe/Paris") == 1


def test_values_that_are_not_sent_are_not_counted() -> None:
    slot = Slot(0, NUMBER, "a")
    layout = Layout(ATTIO, "id", "key", DOMAINS, [slot], {"id": ColumnType.INTEGER, "key": T, "a": N}, ZoneInfo("UTC"))
    batch = pa.RecordBatch.from_pydict({"id": ["1", "2"], "key": ["a.com", "b.com"], "a": ["1.23456", "1.23456"]})
    texts, losses = digests.as_texts(batch.columns), Losses(layout)
    rows = Mapper(layout).convert(batch, texts)
    losses.note(rows.columns, np.array([[True], [False]]), texts)
    assert losses.stored() == {"mrr": [1, 1]}


def test_warning_opens_above_the_limit_and_names_the_attribute() -> None:
    summary = Summary(rows=100, lossy={"mrr": [10, 100], "day": [1, 100]})
    (finding,) = findings(summary, kinds.effective({"lossy_percent": 5}))
    assert (finding.kind, finding.subject) == (kinds.LOSSY, "mrr")
    assert "10.0% of the values for “mrr”" in finding.message
    assert "10 of 100" in finding.message


def test_losses_open_no_warning_by_default() -> None:
    assert list(findings(Summary(rows=100, lossy={"mrr": [100, 100]}), kinds.effective({}))) == []


@pytest.mark.django_db(transaction=True)
def test_run_stores_how_many_values_were_converted_with_loss(shop: Shop, to_attio: Activation, staff: Client) -> None:
    shop.fill(2)
    shop.set(1, "description", "null\x01character")
    to_attio.thresholds = {"lossy_percent": 5}
    to_attio.save()
    done = run(to_attio)
    assert done.lossy == {"description": [1, 2]}
    page = staff.get(f"/admin/activations/run/{done.pk}/change/").content.decode()
    assert "Converted with loss" in page
    assert "<li>Description: 1 of 2 values</li>" in page
    (warning,) = done.found_warnings
    assert (warning["kind"], warning["subject"]) == (kinds.LOSSY, "description")
    DataModel.objects.update(display_column="name")
    shop.set(2, "description", "new")
    later = run(to_attio)
    assert "Converted with loss" not in staff.get(f"/admin/activations/run/{later.pk}/change/").content.decode()
    change = Change.objects.filter(run=later).get()
    header = staff.get(f"/admin/activations/change/{change.pk}/change/").content.decode().partition("<h1")[2]
    assert "Company 2" in header.partition("</h1>")[0]
