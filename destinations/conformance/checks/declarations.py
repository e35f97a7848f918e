"""What a service declares about itself and its fields, compared with the simulator's own description of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from destinations.conformance.check import check
from destinations.conformance.expectations import expect
from destinations.contract import Service, Verb

if TYPE_CHECKING:
    from destinations.conformance.subject import Subject
    from destinations.contract import Field

KINDS_OF_MODEL = {"users", "events", "custom"}


@check
def service_is_described_completely(subject: Subject) -> None:
    service = subject.service
    expect(service.slug.startswith(f"{service.platform.slug}."), "A service's slug is `platform.object`.")
    expect(service.label, "A service needs a label.")
    expect(service.accepts and set(service.accepts) <= KINDS_OF_MODEL, f"accepts is {service.accepts}.")
    expect(service.default_mode in service.modes, "default_mode must be one of modes.")


@check
def people_are_guided_to_the_credential(subject: Subject) -> None:
    service, platform = subject.service, subject.service.platform
    expect(
        service.record_nouns != Service.record_nouns and service.summary,
        "Say in Service.record_nouns what it synchronizes, and in Service.summary why, in one sentence.",
    )
    expect(platform.summary, "Say in Platform.summary what the platform is, in one sentence.")
    expect(platform.guide, "List in Platform.guide the steps that lead to the credential, one sentence each.")
    expect(
        platform.scopes, "List in Platform.scopes the permissions that the credential needs, as the vendor names them."
    )


@check
def credential_is_stored_as_a_secret(subject: Subject) -> None:
    kinds = {parameter.name: parameter.kind for parameter in subject.service.platform.parameters}
    expect(
        kinds.get("token") == "secret",
        f"The platform's parameters are {kinds}. The credential is the parameter `token` of the kind `secret`, so that "
        "it is encrypted and never shown.",
    )
    expect(subject.field(subject.sample.custom).custom, f"Field.custom is false for {subject.sample.custom!r}.")


@check
def sample_fits_the_service(subject: Subject) -> None:
    sample, attributes = subject.sample, subject.attributes()
    expect("{n}" in sample.match, "The sample's match value must contain {n}, so that records differ.")
    for name in (sample.text, sample.custom):
        expect(name in sample.values, f"The sample's values lack {name!r}.")
    expect(
        sample.custom in attributes and not attributes[sample.custom]["fixed"],
        f"The simulator has no attribute {sample.custom!r} that can be archived. Add it in the sample's `arrange`.",
    )
    for name in (*sample.values, sample.bad[0], *(example.field for example in sample.examples)):
        subject.field(name)


@check
def simulator_says_what_can_be_written(subject: Subject) -> None:
    silent = sorted(name for name, entry in subject.attributes().items() if "writable" not in entry)
    expect(
        not silent,
        f"The simulator's Collection.attributes say nothing about whether the API can write {silent}. Add `writable`, "
        "and `unique`, `multiple`, `required` and `options` where they apply, from the vendor's documentation.",
    )


@check
def every_attribute_of_the_vendor_is_a_field(subject: Subject) -> None:
    missing = sorted(set(subject.attributes()) - set(subject.fields))
    expect(not missing, f"The simulator has the attributes {missing}, and fields() does not list them.")


@check
def fields_are_writable_exactly_if_the_vendor_writes_them(subject: Subject) -> None:
    attributes = subject.attributes()
    for field in subject.fields.values():
        attribute = attribute_of(field, attributes)
        expect(
            not field.writable or attribute,
            f"fields() offers {field.name!r} as writable, and the simulator has no such attribute.",
        )
        if attribute:
            expect(
                field.writable is bool(attribute["writable"])
                or not (field.writable or field.name == attribute["name"]),
                f"fields() says writable={field.writable} for {field.name!r}, and the simulator says "
                f"writable={attribute['writable']}.",
            )
        expect(
            field.writable or field.read_only_reason,
            f"{field.name!r} can't be written. Give Field.read_only_reason, a sentence for the user.",
        )


@check
def options_are_complete(subject: Subject) -> None:
    for field, attribute in _pairs(subject):
        if "options" in attribute and field.writable:
            offered, existing = {option.title for option in field.options}, set(attribute["options"] or ())
            expect(
                offered == existing,
                f"{field.name!r} has the options {sorted(existing)[:5]} … ({len(existing)}) at the simulator, and "
                f"{sorted(offered)[:5]} … ({len(offered)}) in Field.options.",
            )


@check
def lists_and_required_fields_are_marked(subject: Subject) -> None:
    for field, attribute in _pairs(subject):
        if field.name != attribute["name"]:
            continue
        for mark in ("multiple", "required"):
            expect(
                mark not in attribute or getattr(field, mark) is bool(attribute[mark]) or not field.writable,
                f"The simulator says {mark}={attribute.get(mark)} for {field.name!r}, and Field.{mark} is "
                f"{getattr(field, mark)}.",
            )


@check
def only_unique_fields_are_matchable(subject: Subject) -> None:
    expect(subject.match_field.matchable, f"default_match is {subject.match_field.name!r}, which is not matchable.")
    for field, attribute in _pairs(subject):
        expect(
            not field.matchable or attribute.get("unique"),
            f"Field.matchable is true for {field.name!r}, but the vendor does not find records by it: the simulator "
            "has no unique=True there.",
        )
    lost = [
        field.name
        for field, attribute in _pairs(subject)
        if attribute.get("unique") and attribute["writable"] and not field.matchable
    ]
    expect(not lost, f"The vendor finds records by {lost}, and Field.matchable is false there.")


@check
def names_of_fields_are_distinct(subject: Subject) -> None:
    names = [field.name for field in subject.service.fields(subject.client)]
    twice = sorted({name for name in names if names.count(name) > 1})
    expect(not twice, f"fields() returns {twice} more than once.")


@check
def read_only_attributes_are_rejected_by_the_simulator(subject: Subject) -> None:
    """A simulator that writes everything could not show that a service offers too much."""
    fixed = [name for name, entry in subject.attributes().items() if not entry["writable"]]
    expect(
        fixed or all("writable" in entry for entry in subject.attributes().values()),
        "The simulator describes no read-only attribute.",
    )
    known = subject.write(1).remote_id
    for name in fixed[:1]:
        operation = subject.raw(1, {name: "1"}, Verb.UPDATE, remote_id=known)
        subject.problem(partial(subject.send, operation))


def attribute_of(field: Field, attributes: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    """The simulator's attribute behind a field: of `a.b`, the attribute `a.b`, or else `a`, of which it is a part."""
    return attributes.get(field.name) or attributes.get(field.name.rpartition(".")[0])


def _pairs(subject: Subject) -> list[tuple[Field, dict[str, Any]]]:
    attributes = subject.attributes()
    return [(field, attribute) for field in subject.fields.values() if (attribute := attribute_of(field, attributes))]
