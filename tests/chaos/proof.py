"""The checks after the kills. Each check yields one sentence for every violation."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from activations.delivery.places import Places
from activations.models import Change, Run
from destinations.registry import services
from tests.chaos.repeats import RecordKey, Repeats, number_in, sent_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tests.chaos.faults import Write
    from tests.chaos.source import Company

COMPLETED = (Run.State.SUCCEEDED, Run.State.COMPLETED_WITH_WARNINGS)
EXPECTED_CODES = ("unavailable",)
TRANSPORT_SECONDS = 0.1
"""How much longer a request may take for the client than for the vendor."""


def check_values(
    live: Iterable[Company], attio: Mapping[str, Any], intercom: Mapping[str, Any], known: Iterable[str]
) -> Iterator[str]:
    """The destinations have every mapped value of every live company.

    Args:
        known: IDs of the companies that existed in Intercom from the start. Update mode must not create any others.
    """
    by_number = {number_in(record["values"].get("domains")): record["values"] for record in attio["records"]}
    by_id = {str(company["company_id"]): company for company in intercom["companies"]}
    for company in live:
        yield from _differences(
            f"Attio upsert, company {company.number}", _at_attio(by_number.get(company.number)), _for_attio(company)
        )
        upserted = by_id.get(str(company.number))
        yield from _differences(
            f"Intercom upsert, company {company.number}", _at_intercom(upserted), _for_upsert(company)
        )
        if company.account in known:
            updated = by_id.get(company.account)
            yield from _differences(
                f"Intercom update, company {company.number}", _updated(updated), _for_update(company)
            )
        elif company.account in by_id:
            yield f"Intercom update, company {company.number}: created, although update mode never creates records."


def check_duplicates(attio: Mapping[str, Any], intercom: Mapping[str, Any]) -> Iterator[str]:
    """No company exists twice."""
    domains = Counter(number_in(record["values"].get("domains")) for record in attio["records"])
    ids = Counter(str(company["company_id"]) for company in intercom["companies"])
    for name, counted in (("Attio", domains), ("Intercom", ids)):
        yield from (f"{name}: company {which} exists {times} times." for which, times in counted.items() if times > 1)


def check_bulk(live: Iterable[Company], bulk: Mapping[str, Any]) -> Iterator[str]:
    """The vendor that takes batches has every mapped value of every live company, and no company twice."""
    numbers = Counter(str(record["number"]) for record in bulk["records"])
    yield from (f"Bulk: company {which} exists {times} times." for which, times in numbers.items() if times > 1)
    by_number = {record["number"]: record["values"] for record in bulk["records"]}
    for company in live:
        expected = {"name": company.name, "category": company.category}
        yield from _differences(f"Bulk upsert, company {company.number}", by_number.get(str(company.number)), expected)


def check_runs_ended() -> Iterator[str]:
    """Every run has ended with a state and a reason, and no change is left unsettled."""
    for run in Run.objects.select_related("activation"):
        if run.is_live or run.finished_at is None or run.owner:
            yield f"{run}: still {run.state}, claimed by {run.owner or 'nobody'}."
        elif run.state not in COMPLETED and run.error_code not in EXPECTED_CODES:
            yield f"{run}: ended as {run.state} ({run.error_code or 'no code'}): {run.error_message or 'no reason'}"
    unsettled = Change.objects.exclude(state=Change.State.SETTLED).count() + Change.objects.filter(outcome="").count()
    if unsettled:
        yield f"{unsettled} changes have no outcome."


def check_accepted(attempts: Iterable[tuple[RecordKey, Change, list[Write]]]) -> Iterator[str]:
    """Everything recorded as accepted was carried out by the vendor, with those values."""
    for (activation, number), change, writes in attempts:
        if change.outcome != Change.Outcome.ACCEPTED:
            continue
        written = {
            (name, json.dumps(value, sort_keys=True)) for write in writes for name, value in sent_fields(write).items()
        }
        recorded = {
            (name, json.dumps(change.values[name], sort_keys=True)) for name in change.sent if name in change.values
        }
        if lost := sorted(name for name, _ in recorded - written):
            claim = f"{', '.join(lost)} recorded as accepted in run {change.run.number}"
            yield f"{activation}, company {number}: {claim}, but never carried out."


def check_repeats(repeats: Repeats, longest_seconds: Mapping[str, float]) -> Iterator[str]:
    """A kill causes at most the records of the requests in flight to be repeated."""
    yield from (f"Unexplained repeat: {repeat}." for repeat in repeats.unexplained)
    for (kill, activation), number in repeats.by_kill.items():
        limit = max_in_flight(activation, longest_seconds)
        if number > limit:
            where = f" at {kill.point}" if kill.point else ""
            cause = f"after the kill of {kill.target}{where}"
            yield f"{activation}: {number} repeats {cause}, but at most {limit} records were in flight."


def max_in_flight(activation: str, longest_seconds: Mapping[str, float]) -> int:
    """How many records of an activation may be in flight, given the vendor's rate limit and the slowest answer."""
    platform = activation.split()[0].lower()
    limits = services[f"{platform}.companies"].limits
    return Places(limits.writes, longest_seconds[platform] + TRANSPORT_SECONDS).free * limits.write_batch


def check_idle_runs(again: Iterable[Run]) -> Iterator[str]:
    """Runs over an unchanged source send no write requests."""
    for run in again:
        if run.write_requests or run.state not in COMPLETED:
            ending = f"ended as {run.state} with {run.write_requests} writes"
            yield f"{run}: nothing had changed, but it {ending}. {run.error_message}"


def _differences(subject: str, actual: Mapping[str, Any] | None, expected: Mapping[str, Any]) -> Iterator[str]:
    if actual is None:
        yield f"{subject}: missing."
        return
    wrong = [f"{name} is {actual[name]!r}, not {value!r}" for name, value in expected.items() if actual[name] != value]
    if wrong:
        yield f"{subject}: {', '.join(wrong)}."


def _for_attio(company: Company) -> dict[str, Any]:
    return {"name": company.name, "description": company.description, "categories": [company.category]}


def _at_attio(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if values is None else {name: values.get(name) for name in ("name", "description", "categories")}


def _for_upsert(company: Company) -> dict[str, Any]:
    return {"name": company.name, "plan": company.plan, "seats": company.seats}


def _at_intercom(company: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if company is None:
        return None
    return {
        "name": company.get("name"),
        "plan": company["plan"].get("name"),
        "seats": company["custom_attributes"].get("seats"),
    }


def _for_update(company: Company) -> dict[str, Any]:
    return {"name": company.name, "size": company.seats, "monthly_spend": company.revenue}


def _updated(company: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if company is None else {name: company.get(name) for name in ("name", "size", "monthly_spend")}
