"""Whole columns give what the service's own conversion gives, value by value."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activations import digests
from activations.planning.columns import Converted, Converter, convert
from destinations.contract import Field, Service
from destinations.registry import services
from segments.contract import ColumnType

ATTIO = ("text", "number", "currency", "checkbox", "date", "timestamp", "domain", "email-address", "rating")
INTERCOM = ("string", "integer", "float", "boolean", "date")
FIELDS = [
    *(("attio.companies", Field(name, name, name, multiple=name in ("domain", "email-address"))) for name in ATTIO),
    *(("intercom.companies", Field(name, name, name, custom=True)) for name in INTERCOM),
    ("intercom.companies", Field("company_id", "Id", "string")),
    ("intercom.companies", Field("monthly_spend", "Spend", "float")),
    ("intercom.companies", Field("name", "Name", "string")),
]
NUMBERS = st.one_of(
    st.integers(-(10**12), 10**12).map(str),
    st.decimals(-(10**7), 10**7, places=2).map(str),
    st.decimals(-10, 10, places=6).map(str),
    st.floats(-1e10, 1e10).map(repr),
    st.sampled_from(["-0", "0.0", "00", "1.", ".5", "1e3", "NaN", "7.00", "-0.10", "2147483648", "+4"]),
)
MOMENTS = st.one_of(
    st.datetimes().map(lambda moment: moment.isoformat(" ") + "+00"),
    st.datetimes().map(lambda moment: moment.isoformat()),
    st.datetimes().map(lambda moment: moment.isoformat(" ", "seconds") + "+02"),
    st.sampled_from(
        [
            "2026-02-30 10:00:00+00",
            "2026-02-03 24:00:00+00",
            "2026-02-03 10:00:60+00",
            "2026-02-03 10:00:00.120+00",
            "infinity",
        ]
    ),
)
TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "",
            "  ",
            "a\nb",
            'say "hi"',
            "a.com",
            "www.a.com",
            "A.com",
            "a.com\n",
            "w.io",
            "ada@acme.com",
            "Ada@acme.com",
            "a.b+c@www.acme.co.uk",
            "ada@acme.com\n",
            "ada@acme",
            "ww.io",
            "x" * 300,
            "true",
            "1",
            "\x7f",
            "a.b.co.uk",
        ]
    ),
    st.from_regex(r"[a-z0-9]{1,5}(\.[a-z]{1,4}){0,3}", fullmatch=True),
    st.dates().map(str),
    NUMBERS,
    MOMENTS,
)


def converted(service: Service, field: Field, type: ColumnType, zone: str, values: pa.Array) -> Converted:
    (made,) = convert([Converter(service, field, type, ZoneInfo(zone))], [values], digests.as_texts([values]))
    return made


def both_ways(service: Service, field: Field, type: ColumnType, zone: str, values: pa.Array) -> tuple[Any, Any]:
    def told() -> tuple[list[str | None], list[int], dict[int, str]]:
        made = converted(service, field, type, zone, values)
        return (
            made.json.to_list(),
            digests.of_texts(made.json).tolist(),
            {place: refusal.code for place, refusal in made.refusals.items()},
        )

    fast = told()
    with patch.object(type_of(service), "plain", lambda *_: None):
        return fast, told()


def type_of(service: Service) -> type:
    return service.__class__


@pytest.mark.parametrize(("slug", "field"), FIELDS, ids=lambda value: value if isinstance(value, str) else value.name)
@settings(max_examples=60)
@given(
    kind=st.sampled_from(
        [
            ColumnType.TEXT,
            ColumnType.INTEGER,
            ColumnType.NUMBER,
            ColumnType.BOOLEAN,
            ColumnType.DATE,
            ColumnType.TIMESTAMP,
        ]
    ),
    zone=st.sampled_from(["UTC", "Europe/Paris"]),
    values=st.lists(st.one_of(st.none(), TEXTS), min_size=1, max_size=8),
)
def test_a_column_of_text_converts_as_its_values_do(
    slug: str, field: Field, kind: ColumnType, zone: str, values: list[str | None]
) -> None:
    fast, slow = both_ways(services[slug], field, kind, zone, pa.array(values, pa.string()))
    assert fast == slow


@pytest.mark.parametrize(("slug", "field"), FIELDS, ids=lambda value: value if isinstance(value, str) else value.name)
@settings(max_examples=30)
@given(
    column=st.one_of(
        st.tuples(
            st.just(ColumnType.INTEGER),
            st.lists(st.one_of(st.none(), st.integers(-(2**40), 2**40)), min_size=1).map(pa.array),
        ),
        st.tuples(
            st.just(ColumnType.NUMBER),
            st.lists(st.one_of(st.none(), st.floats(), st.integers(-100, 100).map(float)), min_size=1).map(
                lambda v: pa.array(v, pa.float64())
            ),
        ),
        st.tuples(
            st.just(ColumnType.BOOLEAN),
            st.lists(st.one_of(st.none(), st.booleans()), min_size=1).map(lambda v: pa.array(v, pa.bool_())),
        ),
    )
)
def test_a_native_column_converts_as_its_values_do(
    slug: str, field: Field, column: tuple[ColumnType, pa.Array]
) -> None:
    fast, slow = both_ways(services[slug], field, column[0], "UTC", column[1])
    assert fast == slow


def test_most_of_an_ordinary_column_is_converted_as_a_whole() -> None:
    """The fast way is taken: the service is asked about the odd one alone."""
    asked = []
    service = services["attio.companies"]

    def convert(self: Service, field: Field, value: Any) -> Any:
        asked.append(value)
        return value

    with patch.object(type_of(service), "convert", convert):
        values = pa.array(["Acme", "Café", None, 'The "Best"', 'The "Best"'])
        made = converted(service, Field("name", "Name", "text"), ColumnType.TEXT, "UTC", values)
    assert (made.json.to_list()[:3], asked) == (['"Acme"', '"Café"', None], ['The "Best"'])
