"""Changes that people make at the vendor, what is seen of them, and fields that a run creates there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import Misconfigured
from destinations.conformance.check import NotApplicable, check, check_each, require
from destinations.conformance.checks.updates import written_examples
from destinations.conformance.expectations import expect
from destinations.contract import NewField, Purpose, Writer

if TYPE_CHECKING:
    from destinations.conformance.subject import Subject
    from destinations.contract import Held
    from destinations.sandbox.wire import Editor

EDITED = "Edited elsewhere 7f3a"
EDITORS: dict[Editor, set[Writer]] = {
    "person": {Writer.PERSON, Writer.UNKNOWN},
    "integration": {Writer.INTEGRATION, Writer.OURS, Writer.UNKNOWN},
    "vendor": {Writer.VENDOR, Writer.UNKNOWN},
}


@check
def token_revoked_during_a_run_is_a_misconfiguration(subject: Subject) -> None:
    subject.write(1)
    subject.switch(subject.sample.revoke)
    for call in (lambda: subject.write(2), lambda: subject.service.platform.check(subject.client)):
        problem = subject.problem(call)
        expect(isinstance(problem, Misconfigured), f"The token was revoked, and the service raised {problem!r}.")
    expect(len(subject.ids()) == 1, "A record was written with a revoked token.")


@check
def attribute_archived_during_a_run_is_named(subject: Subject) -> None:
    subject.write(1)
    subject.sandbox.archive(subject.sample.kind, subject.sample.custom, True)
    problem = subject.problem(lambda: subject.write(2))
    expect(
        isinstance(problem, Misconfigured) and problem.where == subject.sample.custom,
        f"The attribute {subject.sample.custom!r} was archived, and the service raised {problem!r} with "
        f"where={getattr(problem, 'where', '')!r}. Raise Misconfigured, with the attribute's name as `where`.",
    )
    expect(len(subject.ids()) == 1, "A record was written although one of its attributes is archived.")


@check
def archived_attribute_can_no_longer_be_chosen(subject: Subject) -> None:
    subject.sandbox.archive(subject.sample.kind, subject.sample.custom, True)
    archived = subject.discovered().get(subject.sample.custom)
    expect(archived is None or not archived.writable, "fields() offers an archived attribute as writable.")


@check
def missing_field_is_created_by_prepare(subject: Subject) -> None:
    require(subject.service.creates_fields, "only people can create fields at this vendor")
    wanted = NewField("seats_sold", "integer")
    known = list(subject.fields.values())
    expect(not list(subject.service.check_new_fields(known, [wanted])), "check_new_fields() objects to a valid field.")
    prepared = {field.name: field for field in subject.service.prepare(subject.client, known, [wanted])}
    expect(set(subject.gate.purposes()) == {Purpose.DISCOVERY}, "prepare() waits for the purpose discovery only.")
    found = subject.discovered().get("seats_sold")
    expect(
        found is not None and found.writable and "seats_sold" in subject.attributes(),
        "prepare() was asked for a field that is missing, and the simulator does not have it afterwards.",
    )
    planned = subject.service.new_field(wanted)
    types = {field.type for field in (prepared.get("seats_sold"), found, planned) if field}
    expect(
        len(types) == 1 and "seats_sold" in prepared,
        f"new_field(), prepare() and fields() give one new field the types {sorted(types)}.",
    )
    expect(
        len(prepared) == len(subject.discovered()), "prepare() must return all fields, with the new ones among them."
    )


@check
def held_values_are_shown(subject: Subject) -> None:
    for field, wire in written_examples(subject):
        held = _held(subject)
        shown, author = subject.service.shown(field, held), subject.service.author(field, held)
        expect(
            shown not in (None, "", []) and isinstance(shown, list) is field.multiple,
            f"{wire!r} was written to {field.name!r}, and shown() returns {shown!r}. Return what people read, a list "
            "for a list.",
        )
        expect(
            author is None or author.writer not in (Writer.PERSON, Writer.VENDOR),
            f"This application wrote {field.name!r}, and author() returns {author!r}.",
        )


@check
def missing_value_is_not_shown(subject: Subject) -> None:
    remote_id = subject.write(1).remote_id
    for example in subject.sample.examples if subject.service.compares else ():
        field = subject.field(example.field)
        if field.name != subject.service.default_match and subject.stored_value(remote_id, field.name) is None:
            shown, author = subject.service.shown(field, _held(subject)), subject.service.author(field, _held(subject))
            expect(shown is None, f"The record has no {field.name!r}, and shown() returns {shown!r}.")
            expect(author is None, f"The record has no {field.name!r}, and author() returns {author!r}.")


@check_each(*EDITORS)
def edit_by_others_is_noticed(subject: Subject, by: Editor) -> None:
    """A value that somebody else changed differs from what was sent, and is not said to be ours if a person set it."""
    require(subject.service.compares, "The service doesn't compare records with what would be sent.")
    known = subject.write(1).remote_id
    field = subject.field(subject.sample.text)
    wire = subject.service.convert(field, subject.sample.values[field.name])
    try:
        subject.sandbox.edit(subject.sample.kind, known, {field.name: EDITED}, by)
    except NotImplementedError as reason:
        raise NotApplicable(str(reason)) from None
    held, service = _held(subject), subject.service
    expect(
        not service.same(field, wire, held), f"{field.name!r} was edited by others, and same() says it is unchanged."
    )
    shown, author = service.shown(field, held), service.author(field, held)
    expect(shown == EDITED, f"{field.name!r} was changed to {EDITED!r}, and shown() returns {shown!r}.")
    expect(
        author is None or author.writer in EDITORS[by],
        f"The value was set by this editor: {by}. author() returns {author!r}.",
    )


def _held(subject: Subject) -> Held:
    """Record 1 as a lookup returns it."""
    return subject.find_held(subject.identity(1))[subject.identity(1)]
