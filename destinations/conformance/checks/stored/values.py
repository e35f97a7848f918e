"""Values of every type arrive as they were meant, and those that can't are rejected before anything is sent."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from core.errors import Problem, Rejected
from destinations.conformance.check import check
from destinations.conformance.expectations import expect, same, same_items
from destinations.contract import Verb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from destinations.conformance.sample import Example
    from destinations.conformance.subject import Subject
    from destinations.contract import Field

SPELLINGS: tuple[tuple[Any, str], ...] = (
    (True, "true"),
    (False, "false"),
    (0, "0"),
    (12, "12"),
    (-7, "-7"),
    (12.0, "12"),
    (10**17 + 1, "100000000000000001"),
    (Decimal("12.5"), "12.5"),
    (Decimal("1E+3"), "1000"),
    (0.1, "0.1"),
    (date(2024, 2, 29), "2024-02-29"),
)
"""Values that are no text, and how they are spelled in a text attribute."""
ODD: tuple[Any, ...] = (
    "x", "-1", "1e400", "12,5", "\ud800", "\x00", "yes", "2026-02-30", "x" * 5000, True, 0, -1, 2**31, 2**53 + 1,
    10**40, 0.1, -0.0, 1e300, float("nan"), float("inf"), Decimal("NaN"), Decimal("1E-30"), Decimal("1E+30"), date.min,
    date.max, datetime.max.replace(tzinfo=UTC), datetime(2024, 2, 29, 22, 30, 15, 123456, UTC), ["a", "b"], [[]],
    {"a": {"b": [1]}},
)  # fmt: skip


@check
def sample_has_an_example_of_every_type(subject: Subject) -> None:
    shown = {
        (subject.field(example.field).type, isinstance(example.value, list)) for example in subject.sample.examples
    }
    for field in subject.fields.values():
        if field.writable and "." not in field.name:
            expect(
                (field.type, field.multiple) in shown or (field.type, False) in shown,
                f"The sample has no Example of the type {field.type!r}, such as for {field.name!r}: a value as a "
                "source supplies it, and what the vendor stores for it.",
            )
        if field.writable and field.multiple:
            expect(
                any(_is_two(example) and subject.field(example.field).multiple for example in subject.sample.examples),
                f"{field.name!r} is a list. Add an Example with a list of two values to the sample.",
            )


@check
def every_example_is_stored_as_documented(subject: Subject) -> None:
    for number, example in enumerate(subject.sample.examples, 1):
        _expect_stored(subject, number, example.field, subject.wire(example), example.value, example.stored)


@check
def update_stores_examples_too(subject: Subject) -> None:
    known = subject.write(1).remote_id
    for example in subject.sample.examples:
        if example.field != subject.service.default_match:
            wire = subject.wire(example)
            subject.send(subject.raw(1, {example.field: wire}, Verb.UPDATE, remote_id=known))
            _verify(subject, known, example.field, example.value, example.stored)


@check
def neighbors_of_examples_are_stored_too(subject: Subject) -> None:
    """If true, 12 or 2.5 is stored as it is, then so are false, 0, 11, 13 and -12: none of them means “no value”."""
    for number, (name, value) in enumerate(_neighbors(subject.sample.examples), 1):
        try:
            wire = subject.service.convert(subject.field(name), value)
        except Rejected:
            expect(
                value is not False and not same(value, 0),
                f"convert() rejects {value!r} for {name!r}. False and 0 are values, not a missing value.",
            )
            continue
        _expect_stored(subject, number, name, wire, value, value)


@check
def every_writable_field_takes_a_value(subject: Subject) -> None:
    """What `fields` offers as writable can be written."""
    values = _values_by_type(subject)
    for number, field in enumerate(subject.fields.values(), 1):
        if not field.writable or field.name == subject.service.default_match:
            continue
        for value in _candidates(field, values):
            operation = subject.raw(number, {field.name: subject.service.convert(field, value)})
            try:
                outcome = subject.send(operation)
            except Problem as problem:
                raise AssertionError(
                    f"fields() offers {field.name!r} as writable, and the vendor rejects a value of its type: "
                    f"{problem.code}. Set writable=False, or add an Example for this field to the sample."
                ) from None
            expect(
                subject.stored_value(outcome.remote_id, field.name) not in (None, "", []),
                f"{field.name!r} was accepted, and the simulator stores nothing for it.",
            )


@check
def text_fields_spell_other_types_as_people_do(subject: Subject) -> None:
    field = subject.field(subject.sample.text)
    for value, spelling in SPELLINGS:
        wire = subject.service.convert(field, value)
        expect(
            wire == spelling, f"convert() of {value!r} for the text field {field.name!r} is {wire!r}, not {spelling!r}."
        )


@check
def times_are_the_same_in_every_zone(subject: Subject) -> None:
    for example in subject.sample.examples:
        if isinstance(example.value, datetime):
            field, elsewhere = subject.field(example.field), example.value.astimezone(ZoneInfo("Asia/Kathmandu"))
            one, other = (subject.service.convert(field, value, example.origin) for value in (example.value, elsewhere))
            expect(same(one, other), f"One moment in two time zones is {one!r} and {other!r} for {field.name!r}.")


@check
def unknown_option_is_rejected_before_it_is_sent(subject: Subject) -> None:
    for field in subject.fields.values():
        if field.options and field.writable:
            value = subject.rejection_of(field, "No such option 7f3a")
            expect(value is None, f"convert() of an unknown option for {field.name!r} gives {value!r}. Raise Rejected.")
            for option in field.options[:3]:
                stored = subject.service.convert(field, option.title)
                expect(stored, f"convert() of the option {option.title!r} of {field.name!r} gives {stored!r}.")


@check
def odd_values_are_converted_to_json_or_rejected(subject: Subject) -> None:
    for field in subject.fields.values():
        for value in ODD if field.writable else ():
            wire = subject.rejection_of(field, value)
            try:
                json.dumps(wire, allow_nan=False).encode()
                str(json.loads(json.dumps(wire)) if isinstance(wire, str) else "").encode()
            except ValueError:
                raise AssertionError(
                    f"convert() of {value!r} for {field.name!r} ({field.type}) gives {wire!r}, which is not valid JSON."
                ) from None


def _neighbors(examples: tuple[Example, ...]) -> Iterator[tuple[str, Any]]:
    for example in examples:
        value = example.value
        if not same(value, example.stored):
            continue
        if isinstance(value, bool):
            yield example.field, not value
        elif isinstance(value, int):
            yield from ((example.field, near) for near in (0, value - 1, value + 1, -value))
        elif isinstance(value, float):
            yield from ((example.field, near) for near in (0, -value))


def _values_by_type(subject: Subject) -> dict[tuple[str, bool], Any]:
    values: dict[tuple[str, bool], Any] = {}
    for example in subject.sample.examples:
        field = subject.field(example.field)
        values.setdefault((field.name, True), example.value)
        if example.stored is not ...:
            values.setdefault((field.type, field.multiple), example.value)
    return values


def _candidates(field: Field, values: dict[tuple[str, bool], Any]) -> Iterator[Any]:
    """A value for a field: its own example, one of its options, or an example of its type."""
    if (field.name, True) in values:
        yield values[field.name, True]
    elif field.options:
        yield field.options[-1].title
    elif "." not in field.name and (field.type, field.multiple) in values and not field.unique:
        yield values[field.type, field.multiple]


def _expect_stored(subject: Subject, number: int, name: str, wire: Any, value: Any, stored: Any) -> None:
    is_match = name == subject.service.default_match
    operation = subject.raw(number, {} if is_match else {name: wire})
    if is_match:
        return
    _verify(subject, subject.send(operation).remote_id, name, value, stored)


def _verify(subject: Subject, remote_id: str, name: str, value: Any, stored: Any) -> None:
    actual = subject.stored_value(remote_id, name)
    unknown = stored is ...
    expect(
        actual not in (None, "", []) if unknown else same(actual, stored) or same_items(actual, stored),
        f"{value!r} was written to {name!r}, and the simulator stores {actual!r}"
        + ("." if unknown else f" instead of {stored!r}. Check convert() and what write() sends."),
    )


def _is_two(example: Example) -> bool:
    return isinstance(example.value, list) and len(example.value) == 2
