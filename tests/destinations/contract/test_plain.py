"""Every `Plain` that a registered service declares gives exactly what its `convert` gives, value by value."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activations import digests
from activations.planning.conversion.columns import Converter, convert
from core.errors import Misconfigured, Rejected
from destinations.conformance.subject import TOKEN
from destinations.contract import OpenGate, Origin
from destinations.registry import samples, services
from destinations.sandbox.http_server import Server
from destinations.sandbox.registry import sandboxes
from segments.contract import ColumnType
from segments.values import natural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from destinations.contract import Field

ZONE = ZoneInfo("Europe/Paris")
TYPES = [
    ColumnType.TEXT, ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.BOOLEAN, ColumnType.DATE, ColumnType.TIMESTAMP
]  # fmt: skip
CLOCKS = st.datetimes().map(lambda time: time.isoformat(" "))
VALUES: dict[ColumnType, st.SearchStrategy[str]] = {
    ColumnType.INTEGER: st.integers(-(2**63), 2**63).map(str) | st.integers(-100, 100).map(str),
    ColumnType.NUMBER: st.one_of(
        st.decimals(-(10**10), 10**10, places=2).map(str),
        st.decimals(-10, 10, places=7).map(str),
        st.floats().map(repr),
        st.integers(-(2**33), 2**33).map(str),
    ),
    ColumnType.BOOLEAN: st.sampled_from(["true", "false", "t", "f", "1", "0", "TRUE"]),
    ColumnType.DATE: st.dates().map(str),
    ColumnType.TIMESTAMP: CLOCKS | CLOCKS.map(lambda text: f"{text}+00") | CLOCKS.map(lambda text: f"{text}+05:30"),
    ColumnType.TEXT: st.one_of(
        st.text(max_size=20),
        st.from_regex(r"[a-z0-9]{1,5}(\.[a-z]{1,4}){0,3}", fullmatch=True),
        st.emails(),
        st.integers(250, 260).map("x".__mul__),
        st.sampled_from(["www.acme.com", "Acme.com", " acme.com", "ada@acme.com", "Ada@acme.com", "007", "1e3", "yes"]),
    ),
}
ODD = st.sampled_from(["", " ", "-0", "0.0", "00", "NaN", "infinity", "2026-02-30", "\x00", "a\nb", "é", "²"])


def declared() -> Iterator[tuple[str, Field, ColumnType]]:
    """One attribute for each kind of `Plain` that a service declares, of all that its simulator has.

    A service that can't list its attributes yet is left to the conformance suite.
    """
    with ExitStack() as stack:
        for slug, service in services.all.items():
            server = stack.enter_context(Server(sandboxes[service.platform.slug](TOKEN)))
            server.sandbox._switch({**samples[slug].arrange})
            patch = stack.enter_context(pytest.MonkeyPatch.context())
            patch.setenv(service.platform.url_variable, server.url)
            client = service.platform.client({"token": TOKEN, **samples[slug].settings}, OpenGate(), 1)
            seen = set()
            fields: list[Field] = []
            with suppress(Misconfigured):
                fields = service.fields(client)
            for field in fields:
                for kind in TYPES:
                    plain = service.plain(field, str(kind))
                    usable = field.writable or field.matchable
                    if usable and plain and (field.type, field.multiple, field.custom, kind, plain) not in seen:
                        seen.add((field.type, field.multiple, field.custom, kind, plain))
                        yield slug, field, kind
            client.close()


DECLARED = list(declared())


def test_services_of_both_vendors_declare_something_plain() -> None:
    own = {slug for slug, service in services.all.items() if service.platform.slug in ("attio", "intercom")}
    assert own <= {slug for slug, *_ in DECLARED}


@pytest.mark.parametrize(
    ("slug", "field", "kind"), DECLARED, ids=[f"{slug} {field.name} {kind}" for slug, field, kind in DECLARED]
)
@settings(max_examples=20)
@given(data=st.data())
def test_whole_columns_give_what_convert_gives(slug: str, field: Field, kind: ColumnType, data: st.DataObject) -> None:
    service = services[slug]
    texts = data.draw(st.lists(VALUES[kind] | ODD, min_size=1, max_size=8))
    column = pa.array(texts, pa.string())
    (made,) = convert([Converter(service, field, kind, ZONE)], [column], digests.as_texts([column]))
    for place, text in enumerate(texts):
        value = natural(text, kind, ZONE)
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        try:
            expected: Any = service.convert(field, value, Origin(ZONE))
        except Rejected as rejection:
            assert made.errors[place].code == rejection.code
            continue
        assert place not in made.errors
        assert made.json[place].encode() == digests.canonical(expected)
