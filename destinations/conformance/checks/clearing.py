"""Values that are cleared: what is stored afterwards, and which values can't be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.errors import Rejected
from destinations.conformance.check import check
from destinations.conformance.expectations import expect, same
from destinations.contract import Verb

if TYPE_CHECKING:
    from collections.abc import Mapping

    from destinations.conformance.subject import Subject


@check
def empty_clears_what_is_stored(subject: Subject) -> None:
    """A cleared field is stored like one that was never set."""
    bare = subject.send(subject.raw(9999, {}))
    attributes = subject.attributes()
    for number, example in enumerate(subject.sample.examples, 1):
        field = subject.field(example.field)
        if field.name == subject.service.default_match:
            continue
        try:
            empty = subject.service.empty(field)
        except Rejected as rejected:
            expect(rejected.field == field.name, f"empty() rejects {field.name!r} with field={rejected.field!r}.")
            expect(
                not _is_clearable(attributes.get(field.name, {})),
                f"empty() rejects {field.name!r}, and the simulator marks it neither `required` nor clearable=False.",
            )
            continue
        known = subject.send(subject.raw(number, {field.name: subject.wire(example)})).remote_id
        verb = Verb.UPDATE if number % 2 else Verb.UPSERT
        subject.send(subject.raw(number, {field.name: empty}, verb, remote_id=known if verb is Verb.UPDATE else ""))
        stored, unset = (subject.stored_value(remote_id, field.name) for remote_id in (known, bare.remote_id))
        expect(
            stored in (None, [], {}) or same(stored, unset),
            f"empty() gives {empty!r} for {field.name!r}, and after an {verb.value} the simulator has {stored!r}. "
            f"A record without a value has {unset!r}.",
        )


@check
def fields_that_always_have_a_value_are_not_cleared(subject: Subject) -> None:
    for name, attribute in subject.attributes().items():
        if not _is_clearable(attribute) and name in subject.fields and subject.fields[name].writable:
            try:
                empty = subject.service.empty(subject.fields[name])
            except Rejected:
                continue
            raise AssertionError(
                f"The vendor can't clear {name!r}, and empty() gives {empty!r} for it. Raise Rejected."
            )


def _is_clearable(attribute: Mapping[str, Any]) -> bool:
    return bool(attribute.get("clearable", not attribute.get("required")))
