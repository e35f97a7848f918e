"""PURE. Finds writes that a vendor carried out more than once for one change, and the cause of each repeat."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.chaos.scenario import SENDERS, Kill

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from activations.models import Change
    from tests.chaos.faults import Failure, Write

IN_FLIGHT_SECONDS = 5.0
"""A request that was in flight at the time of a kill is carried out shortly afterwards."""
EXPIRED_LEASE = "nobody: a lease that expired"
RecordKey = tuple[str, int]
"""The name of an activation and the number of a company."""
_DOMAIN = re.compile(r"company(\d+)\.")


@dataclass
class Repeats:
    """Repeats by cause: kills (for each activation), injected faults, or unexplained."""

    by_kill: Counter[tuple[Kill, str]] = field(default_factory=Counter)
    by_fault: int = 0
    unexplained: list[str] = field(default_factory=list)

    def of(self, kill: Kill) -> int:
        return sum(number for (cause, _), number in self.by_kill.items() if cause is kill)


def record_keys(attio: Mapping[str, Any], intercom: Mapping[str, Any], bulk: Mapping[str, Any]) -> dict[str, RecordKey]:
    """The key of each record by its ID at the vendor, from the final state of the simulators."""
    keys = {record["id"]: ("Attio upsert", number_in(record["values"].get("domains"))) for record in attio["records"]}
    keys |= {record["id"]: ("Bulk upsert", int(record["number"])) for record in bulk["records"]}
    return keys | {company["id"]: intercom_key(str(company["company_id"])) for company in intercom["companies"]}


def intercom_key(company_id: str) -> RecordKey:
    """Companies whose ID starts with `app-` belong to the update activation, all others to the upsert activation."""
    return (
        ("Intercom update", int(company_id[4:].removesuffix("-twin")))
        if company_id.startswith("app-")
        else ("Intercom upsert", int(company_id))
    )


def number_in(domains: Any) -> int:
    """The number of a company, taken from its domains. 0 if there is none."""
    match = _DOMAIN.search(json.dumps(domains))
    return int(match[1]) if match else 0


def sent_fields(write: Write) -> dict[str, Any]:
    """The fields of a write, without the match field."""
    if "data" in write.body:
        return {name: value for name, value in write.body["data"]["values"].items() if name != "domains"}
    if "values" in write.body:
        return dict(write.body["values"])
    flat = {name: value for name, value in write.body.items() if name not in ("company_id", "custom_attributes")}
    return flat | write.body.get("custom_attributes", {})


def by_change(
    writes: Iterable[Write], changes: Iterable[Change], ids: Mapping[str, RecordKey]
) -> Iterator[tuple[RecordKey, Change, list[Write]]]:
    """Every attempted change, with the writes that were carried out for it.

    A write belongs to the latest change of its record that had been attempted by then. For example, if run 3 first
    attempted company 7 at 10.0 s and run 4 at 14.0 s, a write at 12.0 s belongs to run 3, even if it is a retry.
    """
    attempted: dict[RecordKey, list[Change]] = defaultdict(list)
    for change in changes:
        if change.first_attempt_at is not None and change.key.isdecimal():
            attempted[change.run.activation.name, int(change.key)].append(change)
    written: dict[int, list[Write]] = defaultdict(list)
    for write in sorted(writes, key=lambda write: write.at):
        candidates = attempted.get(_record_key(write, ids), [])
        before = [change for change in candidates if _attempted_at(change) <= write.at]
        if before:
            written[max(before, key=_attempted_at).pk].append(write)
    for key, record_changes in attempted.items():
        yield from ((key, change, written[change.pk]) for change in record_changes)


def by_record(writes: Iterable[Write], ids: Mapping[str, RecordKey]) -> dict[RecordKey, list[Write]]:
    """The writes of each record, the oldest first."""
    found: dict[RecordKey, list[Write]] = defaultdict(list)
    for write in sorted(writes, key=lambda write: write.at):
        found[_record_key(write, ids)].append(write)
    return found


def explain(
    attempts: Iterable[tuple[RecordKey, Change, list[Write]]],
    kills: Sequence[Kill],
    expiries: Sequence[Kill] = (),
    failures: Sequence[Failure] = (),
) -> Repeats:
    """The cause of every repeat: an injected fault, otherwise a kill in between, otherwise an expired lease.

    A fault is the cause if the answer was lost to it, or if it failed another request of the same record. A record may
    take two requests (PATCH for a new match value, PUT for a list), and both are sent again.

    Args:
        expiries: when a run was taken over because its lease had expired, which also happens without a kill: a worker
            that gets no CPU time loses its lease just like a dead one.
    """
    repeats = Repeats()
    for (activation, number), _, writes in attempts:
        same: dict[str, Write] = {}
        for write in writes:
            body = json.dumps([write.method, write.path, write.body], sort_keys=True)
            before = same.get(body)
            same[body] = write
            if before is None:
                continue
            kill = _cause(before, write, kills) or _expiry(before, write, activation, expiries)
            if not before.answered or _failed_between(before, write, failures):
                repeats.by_fault += 1
            elif kill:
                repeats.by_kill[kill, activation] += 1
            else:
                repeats.unexplained.append(
                    f"{activation}: company {number} was written again after {write.at - before.at:.2f} s"
                )
    return repeats


def _failed_between(before: Write, again: Write, failures: Sequence[Failure]) -> bool:
    return any(failure.path == again.path and before.at <= failure.at <= again.at for failure in failures)


def _cause(before: Write, again: Write, kills: Sequence[Kill]) -> Kill | None:
    between = [kill for kill in kills if before.at - IN_FLIGHT_SECONDS <= kill.at <= again.at]
    between = [kill for kill in between if kill.target in SENDERS] or between
    after = [kill for kill in between if kill.at >= before.at]
    return after[0] if after else between[-1] if between else None


def _expiry(before: Write, again: Write, activation: str, expiries: Sequence[Kill]) -> Kill | None:
    return next(
        (
            expiry
            for expiry in expiries
            if activation in expiry.live and before.at - IN_FLIGHT_SECONDS <= expiry.at <= again.at
        ),
        None,
    )


def _record_key(write: Write, ids: Mapping[str, RecordKey]) -> RecordKey:
    if "data" in write.body and write.path.endswith("/records"):
        return "Attio upsert", number_in(write.body["data"]["values"].get("domains"))
    if "company_id" in write.body:
        return intercom_key(str(write.body["company_id"]))
    if "number" in write.body:
        return "Bulk upsert", int(write.body["number"])
    return ids.get(write.path.rsplit("/", 1)[-1], ("", 0))


def _attempted_at(change: Change) -> float:
    assert change.first_attempt_at is not None
    return change.first_attempt_at.timestamp()
