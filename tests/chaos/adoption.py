"""Records that the vendors have before the first run, and what the write policies must have left of every record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.chaos.repeats import RecordKey, number_in, sent_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tests.chaos.faults import FaultyVendor, Write
    from tests.chaos.source import Company

ATTRIBUTES = [{"api_slug": "note", "type": "text"}, {"api_slug": "origin", "type": "text"}]
THEIRS = "Entered by hand"


@dataclass(frozen=True)
class Policy:
    """A field of the workspace file that is not always written."""

    activation: str
    field: str
    kind: str


POLICIES = (
    Policy("Attio upsert", "note", "if_empty"),
    Policy("Attio upsert", "origin", "on_create"),
    Policy("Intercom upsert", "industry", "if_empty"),
    Policy("Intercom upsert", "size", "on_create"),
    Policy("Bulk upsert", "seats", "on_create"),
)


def seed(vendors: Mapping[str, FaultyVendor], live: Mapping[int, Company]) -> dict[RecordKey, dict[str, Any]]:
    """Fills the vendors: some companies as the source has them, some different, some with fields that people filled in.

    Returns:
        What each of these records holds of the fields with a policy.
    """
    seeds: dict[RecordKey, dict[str, Any]] = {}
    attio, intercom = [], []
    for number, company in live.items():
        if number % 4:
            text = {1: THEIRS, 2: company.plan}.get(number % 4)
            filled = {"note": text, "origin": text} if text else {}
            name = company.name if number % 4 == 2 else f"Company {number}"
            equal = {"description": company.description, "categories": [company.category]} if number % 4 == 2 else {}
            given = {"name": name, **{key: value for key, value in equal.items() if value}, **filled}
            attio.append({"domains": [company.domain], **given})
            seeds["Attio upsert", number] = filled
        if number % 5 == 0:
            filled = {"industry": THEIRS} if number % 2 else {}
            intercom.append({"company_id": str(number), "name": "Before", **filled})
            seeds["Intercom upsert", number] = filled
    vendors["attio"].sandbox._switch({"attributes": ATTRIBUTES})
    vendors["attio"].sandbox._switch({"records": {"companies": attio}})
    vendors["intercom"].sandbox._switch({"companies": intercom})
    return seeds


def held(attio: Mapping[str, Any], intercom: Mapping[str, Any], bulk: Mapping[str, Any]) -> dict[RecordKey, Any]:
    """The values of every record that an upsert activation sends, from the final state of the simulators."""
    values = {
        ("Attio upsert", number_in(record["values"].get("domains"))): record["values"] for record in attio["records"]
    }
    values |= {("Bulk upsert", int(record["number"])): record["values"] for record in bulk["records"]}
    return values | {
        ("Intercom upsert", int(company["company_id"])): company
        for company in intercom["companies"]
        if str(company["company_id"]).isdecimal()
    }


def check_policies(
    live: Iterable[Company],
    seeds: Mapping[RecordKey, Mapping[str, Any]],
    records: Mapping[RecordKey, Mapping[str, Any]],
    written: Mapping[RecordKey, list[Write]],
) -> Iterator[str]:
    """What a policy protects was never overwritten, and everything else was filled.

    Args:
        written: the writes of each record, the oldest first.
    """
    for company in live:
        for policy in POLICIES:
            key = (policy.activation, company.number)
            sent = [fields[policy.field] for fields in map(sent_fields, written.get(key, ())) if policy.field in fields]
            for wrong in _wrong(policy, seeds.get(key), records.get(key, {}).get(policy.field), sent):
                yield f"{policy.activation}, company {company.number}: {policy.field} ({policy.kind}) {wrong}."


def _wrong(policy: Policy, before: Mapping[str, Any] | None, now: Any, sent: list[Any]) -> Iterator[str]:
    """What is wrong with one field. Sending the same value again is a repeat, which has a check of its own."""
    theirs = (before or {}).get(policy.field)
    if before is not None and (theirs or policy.kind == "on_create"):
        if sent:
            yield f"was written as {sent[0]!r}, although the record was there before"
        if (now or None) != theirs:
            yield f"is {now!r}, not {theirs!r}"
    elif not sent:
        yield "was never written"
    elif any(value != sent[0] for value in sent) or now != sent[0]:
        yield f"is {now!r}, and was written as {', '.join(map(repr, sent))}"
