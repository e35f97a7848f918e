"""The checks at the end. Each yields one sentence for every violation."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from django.db.models import Count

from activations.models import Change, Run
from tests.soak.source import of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from tests.chaos.faults import FaultyVendor
    from tests.soak.source import Company

UNAVAILABLE = "unavailable"
REJECTION = {"attio": "validation_type", "intercom": "parameter_invalid"}
"""The code with which each vendor rejects a value."""
ENDED_FIRST = (Change.Outcome.NOT_SENT, Change.Outcome.UNKNOWN)
MOST_LOST_PER_KILL = 4
"""How many rejections may be in flight at the moment of a kill, at 0.6 % of the requests."""
COMPLETED = (Run.State.SUCCEEDED, Run.State.COMPLETED_WITH_WARNINGS)


def check_equal(companies: Iterable[Company], vendors: Mapping[str, FaultyVendor]) -> Iterator[str]:
    """Each vendor has exactly the companies of its parts, once, with exactly their values."""
    everything = list(companies)
    for vendor, held in (("attio", at_attio(vendors)), ("intercom", at_intercom(vendors))):
        wanted = {one.number: (one.name, one.description) for one in of(vendor, everything)}
        found: dict[int, tuple[Any, Any]] = {}
        for number, *values in held:
            if number in found:
                yield f"{vendor}: company {number} exists twice."
            found[number] = (values[0], values[1])
        for number in wanted.keys() | found.keys():
            if wanted.get(number) != found.get(number):
                yield f"{vendor}, company {number}: is {found.get(number)}, not {wanted.get(number)}."


def at_attio(vendors: Mapping[str, FaultyVendor]) -> Iterator[tuple[int, Any, Any]]:
    for record in vendors["attio"].sandbox.state()["records"]:
        values = record["values"]
        (domain,) = values["domains"]
        yield int(domain.removeprefix("company").removesuffix(".com")), values["name"], values["description"]


def at_intercom(vendors: Mapping[str, FaultyVendor]) -> Iterator[tuple[int, Any, Any]]:
    for company in vendors["intercom"].sandbox.state()["companies"]:
        yield int(company["company_id"]), company["name"], company["industry"]


def runs_by_ending() -> Counter[str]:
    """How many runs ended in each state, with each error code."""
    rows = Run.objects.values_list("state", "error_code").annotate(number=Count("pk"))
    return Counter({f"{state} {code}".strip(): number for state, code, number in rows})


def changes_by_outcome() -> Counter[str]:
    """How many changes have each outcome, with each code."""
    rows = Change.objects.values_list("outcome", "code").order_by().annotate(number=Count("pk"))
    return Counter({f"{outcome} {code}".strip(): number for outcome, code, number in rows})


def check_logs(home: Path) -> Iterator[str]:
    """No process logged an error that nobody expected."""
    for path in sorted(home.glob("*.log")):
        tracebacks = path.read_text(errors="replace").count("Traceback (most recent call last)")
        if tracebacks:
            yield f"{path.name} has {tracebacks} tracebacks."


def check_idle(again: Iterable[Run]) -> Iterator[str]:
    """Runs over an unchanged source succeed and send nothing."""
    for run in again:
        if run.write_requests or run.state != Run.State.SUCCEEDED:
            yield f"{run}: nothing had changed, but it ended as {run.state} with {run.write_requests} writes."


def check_errors(vendors: Mapping[str, FaultyVendor], kills: int) -> Iterator[str]:
    """Every error has a code, and a cause among the injected faults and the kills."""
    for run in Run.objects.exclude(state__in=COMPLETED).select_related("activation"):
        if run.error_code != UNAVAILABLE:
            yield f"{run}: ended as {run.state} ({run.error_code or 'no code'}): {run.error_message or 'no reason'}"
    for slug, vendor in vendors.items():
        changes = Change.objects.filter(run__activation__name__startswith=slug.title())
        rejected = changes.filter(outcome=Change.Outcome.REJECTED)
        yield from check_rejected(slug, rejected.count(), vendor.injected["rejected"], kills)
        rest = changes.exclude(outcome__in=Change.HELD).exclude(outcome=Change.Outcome.REJECTED, code=REJECTION[slug])
        rest = rest.exclude(outcome__in=ENDED_FIRST, run__error_code=UNAVAILABLE)
        for outcome, code, number in rest.values_list("outcome", "code").order_by().annotate(number=Count("pk")):
            yield f"{slug}: {number} changes ended as {outcome or 'nothing'} ({code or 'no code'})."


def check_rejected(slug: str, rejected: int, injected: int, kills: int) -> Iterator[str]:
    """PURE. Each injected rejection rejects one change, unless its worker is killed before it records the answer."""
    if not injected - kills * MOST_LOST_PER_KILL <= rejected <= injected:
        yield f"{slug}: {rejected} changes were rejected, but {injected} rejections were injected."
