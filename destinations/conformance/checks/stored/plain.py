"""Every `Plain` that a service declares gives exactly what its `convert` gives, value by value."""

from __future__ import annotations

import random
import re
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any

from core.errors import Rejected
from destinations.conformance.check import check
from destinations.conformance.expectations import expect, same
from destinations.contract import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from destinations.conformance.subject import Subject
    from destinations.contract import Field, Plain

Raw = tuple[str, Any]
"""A value as the source spells it, and as a natural Python value."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LARGEST_WHOLE = 10**10
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,8})\.[0-9]{1,20}")
_ESCAPED = re.compile(r'["\\\x00-\x1f]')
_TEXTS = ("Acme", " acme ", "007", "1e3", "yes", "é", "a b", "ACME.com", "www.acme.com", "acme.com", "a@b.co", "A@b.co")


@check
def plain_values_are_what_convert_gives(subject: Subject) -> None:
    for field in subject.fields.values():
        for type_name, values in _values(subject).items():
            plain = subject.service.plain(field, type_name) if field.writable or field.matchable else None
            for text, value in values if plain else ():
                assert plain
                wire = plain_wire(plain, type_name, text)
                if wire is not None:
                    _verify(subject, field, plain, type_name, (text, value), [wire] if plain.listed else wire)


def _verify(subject: Subject, field: Field, plain: Plain, type_name: str, raw: Raw, wire: Any) -> None:
    try:
        converted = subject.service.convert(field, raw[1], Origin(text=raw[0]))
    except Rejected as rejected:
        converted = rejected
    shown = raw[0] if len(raw[0]) < 60 else f"text of {len(raw[0])} characters"
    expect(
        same(converted, wire),
        f"plain() of {field.name!r} ({field.type}) for columns of type {type_name} is {plain}, by which {shown!r} is "
        f"sent as {str(wire)[:60]!r}, and convert() gives {str(converted)[:200]!r}. convert() decides; narrow plain().",
    )


def plain_wire(plain: Plain, type_name: str, text: str) -> Any:
    """The wire value of a source value by its `Plain`, without the list; None if the value is not covered.

    Args:
        type_name: the column's type.
        text: the value as the source spells it.
    """
    match plain.form:
        case "text":
            return _text(plain, type_name, text)
        case "number":
            return _number(plain, text)
        case "boolean":
            return {"true": True, "false": False}.get(text)
        case "day":
            return text if _is_day(text) else None
        case "moment":
            return _moment(text) if type_name == "timestamp" else None
        case "seconds":
            return _seconds(text)


def _text(plain: Plain, type_name: str, text: str) -> str | None:
    if type_name == "integer":
        fits = abs(int(text)) < LARGEST_WHOLE
    else:
        fits = bool(text.strip()) and not _ESCAPED.search(text)
    fits = fits and (not plain.pattern or re.fullmatch(plain.pattern, text) is not None)
    return text if fits and len(text) <= (plain.most_characters or len(text)) else None


def _number(plain: Plain, text: str) -> int | float | None:
    if _WHOLE.fullmatch(text):
        return int(text) if abs(int(text)) <= min(plain.largest, LARGEST_WHOLE - 1) else None
    if not plain.places or not _DECIMAL.fullmatch(text):
        return None
    number = Decimal(text)
    rounded = number.quantize(Decimal(1).scaleb(-plain.places), rounding=ROUND_HALF_EVEN)
    if number != rounded and not plain.rounds:
        return None
    return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)


def _moment(text: str) -> str | None:
    moment = _parsed(text)
    if moment is None:
        return None
    decimals = f".{moment.microsecond:06}" if moment.microsecond else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{decimals}Z"


def _seconds(text: str) -> int | None:
    moment = datetime.fromisoformat(f"{text}T00:00:00+00:00") if _is_day(text) else _parsed(text)
    return None if moment is None or moment.microsecond else (moment - EPOCH) // timedelta(seconds=1)


def _is_day(text: str) -> bool:
    return re.fullmatch(r"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}", text) is not None


def _parsed(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text.endswith("Z") else None


def _values(subject: Subject) -> dict[str, list[Raw]]:
    """Source values of every column type: the sample's own, those at known limits, and random ones."""
    rng = random.Random(2026)  # noqa: S311
    edges = [2**bits + near for bits in (15, 31, 32, 53) for near in (-1, 0, 1)]
    wholes = [0, 1, -1, 12, *edges, *(-edge for edge in edges)]
    wholes += [rng.randint(-(10**12), 10**12) for _ in range(20)]
    decimals = [f"{rng.randint(-999, 999)}.{rng.randint(0, 10**places - 1):0{places}}" for places in range(1, 9)]
    decimals += ["0.5", "12.50", "1.00", "0.00005", "0.00015", "2.675", "99999999.99"]
    days = [date(1950, 1, 1) + timedelta(days=rng.randint(0, 50_000)) for _ in range(20)]
    clock = datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)
    moments = [clock, clock.replace(microsecond=5), clock.replace(microsecond=120_000), EPOCH, clock.replace(year=1904)]
    return {
        "text": [(text, text) for text in _texts(subject)],
        "integer": [(str(number), number) for number in wholes],
        "number": [(str(number), number) for number in wholes] + [(text, Decimal(text)) for text in decimals],
        "boolean": [("true", True), ("false", False)],
        "date": [(day.isoformat(), day) for day in (*days, date(1970, 1, 1), date(9999, 12, 31))],
        "timestamp": [(moment.isoformat().replace("+00:00", "Z"), moment) for moment in moments],
    }


def _texts(subject: Subject) -> Iterator[str]:
    yield from _TEXTS
    for length in (63, 64, 65, 100, 254, 255, 256, 257, 1000, 5000):
        yield "x" * length
        yield f"{'x' * (length - 4)}.com"
    for text in (subject.sample.match.format(n=1), *subject.sample.values.values()):
        yield from (str(text), str(text).upper(), f" {text}", f"{text}\n", f"{text}.", f"www.{text}")
    for example in subject.sample.examples:
        if isinstance(example.value, str):
            yield from (example.value, example.value.swapcase(), f"{example.value} ", f"{example.value}{example.value}")
