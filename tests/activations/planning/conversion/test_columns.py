"""The conversion of whole columns has the same results as the service's own conversion, value by value."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activations import digests
from activations.planning.conversion.columns import Converted, Converter, convert
from destinations.contract import NO_ORIGIN, Field, Origin, Service
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
DATETIMES = st.one_of(
    st.datetimes().map(lambda value: value.isoformat(" ") + "+00"),
    st.datetimes().map(lambda value: value.isoformat()),
    st.datetimes().map(lambda value: value.isoformat(" ", "seconds") + "+02"),
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
    DATETIMES,
)


def converted(service: Service, field: Field, type: ColumnType, zone: str, values: pa.Array) -> Converted:
    (result,) = convert([Converter(service, field, type, ZoneInfo(zone))], [values], digests.as_texts([values]))
    return result


def both_ways(service: Service, field: Field, type: ColumnType, zone: str, values: pa.Array) -> tuple[Any, Any]:
    def results() -> tuple[list[str | None], list[int], dict[int, str]]:
        result = converted(service, field, type, zone, values)
        return (
            result.json.to_list(),
            digests.of_texts(result.json).tolist(),
            {place: error.code for place, error in result.errors.items()},
        )

    fast = results()
    with patch.object(type_of(service), "plain", lambda *_: None):
        return fast, results()


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
def test_text_column_converts_like_its_values(
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
                lambda values: pa.array(values, pa.float64())
            ),
        ),
        st.tuples(
            st.just(ColumnType.BOOLEAN),
            st.lists(st.one_of(st.none(), st.booleans()), min_size=1).map(lambda values: pa.array(values, pa.bool_())),
        ),
    )
)
def test_native_column_converts_like_its_values(slug: str, field: Field, column: tuple[ColumnType, pa.Array]) -> None:
    fast, slow = both_ways(services[slug], field, column[0], "UTC", column[1])
    assert fast == slow


def test_plain_values_are_converted_by_the_column() -> None:
    """The service converts only the value that is not plain, and only once."""
    requested = []
    service = services["attio.companies"]

    def convert(self: Service, field: Field, value: Any, origin: Origin = NO_ORIGIN) -> Any:
        requested.append(value)
        return value

    with patch.object(type_of(service), "convert", convert):
        values = pa.array(["Acme", "Café", None, 'The "Best"', 'The "Best"'])
        result = converted(service, Field("name", "Name", "text"), ColumnType.TEXT, "UTC", values)
    assert (result.json.to_list()[:3], requested) == (['"Acme"', '"Café"', None], ['The "Best"'])
