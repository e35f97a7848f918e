"""Changes that people make at the vendor while a run is in progress, and fields that a run creates there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import Misconfigured
from destinations.conformance.check import check, require
from destinations.conformance.expectations import expect
from destinations.contract import NewField, Purpose

if TYPE_CHECKING:
    from destinations.conformance.subject import Subject


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
