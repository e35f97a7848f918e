"""What must hold after the chaos; every check yields a sentence for each thing that broke."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from activations.delivery.deliver import Places
from activations.models import Change, Run
from destinations.registry import services
from tests.chaos.repeats import Place, Repeats, number_in, sent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tests.chaos.source import Company
    from tests.chaos.weather import Write

ENDED_WELL = (Run.State.SUCCEEDED, Run.State.COMPLETED_WITH_WARNINGS)
EXPECTED_CODES = ("unavailable",)
SPARE_SECONDS = 0.1
"""What a request may take longer for the client than for the vendor."""


def equal(
    live: Iterable[Company], attio: Mapping[str, Any], intercom: Mapping[str, Any], known: Iterable[str]
) -> Iterator[str]:
    """The destinations hold every mapped value of every live company.

    Args:
        known: company ids that Intercom has for the update, which never creates.
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
            yield f"Intercom update, company {company.number}: it was created, which update mode never does."


def once(attio: Mapping[str, Any], intercom: Mapping[str, Any]) -> Iterator[str]:
    """No company is there twice."""
    domains = Counter(number_in(record["values"].get("domains")) for record in attio["records"])
    ids = Counter(str(company["company_id"]) for company in intercom["companies"])
    for name, counted in (("Attio", domains), ("Intercom", ids)):
        yield from (f"{name}: company {which} is there {times} times." for which, times in counted.items() if times > 1)


def closed() -> Iterator[str]:
    """Every run has ended with a state and a reason, and no change is left unsettled."""
    for run in Run.objects.select_related("activation"):
        if run.is_live or run.finished_at is None or run.owner:
            yield f"{run}: it is {run.state} still, held by {run.owner or 'nobody'}."
        elif run.state not in ENDED_WELL and run.error_code not in EXPECTED_CODES:
            yield f"{run}: it ended as {run.state} ({run.error_code or 'no code'}): {run.error_message or 'no reason'}"
    unsettled = Change.objects.exclude(state=Change.State.SETTLED).count() + Change.objects.filter(outcome="").count()
    if unsettled:
        yield f"{unsettled} changes have no outcome."


def kept(attempts: Iterable[tuple[Place, Change, list[Write]]]) -> Iterator[str]:
    """What was recorded as accepted was carried out by the vendor, with those values."""
    for (activation, number), change, writes in attempts:
        if change.outcome != Change.Outcome.ACCEPTED:
            continue
        held = {(name, json.dumps(value, sort_keys=True)) for write in writes for name, value in sent(write).items()}
        claimed = {
            (name, json.dumps(change.values[name], sort_keys=True)) for name in change.sent if name in change.values
        }
        if lost := sorted(name for name, _ in claimed - held):
            what = f"{', '.join(lost)} recorded as accepted in run {change.run.number}"
            yield f"{activation}, company {number}: {what}, but never carried out."


def bounded(repeats: Repeats, longest_seconds: Mapping[str, float]) -> Iterator[str]:
    """A kill makes at most the requests in flight repeat."""
    yield from (f"A repeat that nothing explains: {repeat}." for repeat in repeats.unexplained)
    for (kill, activation), number in repeats.by_kill.items():
        most = permits(activation, longest_seconds)
        if number > most:
            where = f" at {kill.point}" if kill.point else ""
            yield f"{activation}: {number} repeats after the kill of {kill.target}{where}, but at most {most} requests were in flight."


def permits(activation: str, longest_seconds: Mapping[str, float]) -> int:
    """How many requests of an activation may be in flight, from the vendor's rate and the slowest answer."""
    platform = activation.split()[0].lower()
    return Places(services[f"{platform}.companies"].limits.writes, longest_seconds[platform] + SPARE_SECONDS).free


def quiet(again: Iterable[Run]) -> Iterator[str]:
    """Runs over an unchanged source send nothing that writes."""
    for run in again:
        if run.write_requests or run.state not in ENDED_WELL:
            yield f"{run}: nothing had changed, yet it ended as {run.state} with {run.write_requests} writes. {run.error_message}"


def _differences(what: str, there: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> Iterator[str]:
    if there is None:
        yield f"{what}: it is missing."
        return
    wrong = [f"{name} is {there[name]!r}, not {value!r}" for name, value in wanted.items() if there[name] != value]
    if wrong:
        yield f"{what}: {', '.join(wrong)}."


def _for_attio(company: Company) -> dict[str, Any]:
    return {"name": company.name, "description": company.description, "categories": [company.category]}


def _at_attio(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if values is None else {name: values.get(name) for name in ("name", "description", "categories")}


def _for_upsert(company: Company) -> dict[str, Any]:
    return {"name": company.name, "plan": company.plan, "seats": company.seats}


def _at_intercom(there: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if there is None:
        return None
    return {
        "name": there.get("name"),
        "plan": there["plan"].get("name"),
        "seats": there["custom_attributes"].get("seats"),
    }


def _for_update(company: Company) -> dict[str, Any]:
    return {"name": company.name, "size": company.seats, "monthly_spend": company.revenue}


def _updated(there: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if there is None else {name: there.get(name) for name in ("name", "size", "monthly_spend")}
