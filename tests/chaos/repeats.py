"""PURE. Which writes the vendors carried out more than once for one change, and what caused each repeat."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.chaos.story import HOLDERS, Kill

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from activations.models import Change
    from tests.chaos.weather import Failure, Write

BEFORE_SECONDS = 5.0
"""A request that had left when somebody was killed is carried out a little later."""
LAPSE = "nobody: a lease that ended"
Place = tuple[str, int]
"""An activation's name and a company's number."""
_DOMAIN = re.compile(r"company(\d+)\.")


@dataclass
class Repeats:
    """Repeats by cause: those of each kill and activation, those of the weather, and those that nothing explains."""

    by_kill: Counter[tuple[Kill, str]] = field(default_factory=Counter)
    by_weather: int = 0
    unexplained: list[str] = field(default_factory=list)

    def of(self, kill: Kill) -> int:
        return sum(number for (one, _), number in self.by_kill.items() if one is kill)


def places(attio: Mapping[str, Any], intercom: Mapping[str, Any]) -> dict[str, Place]:
    """The place of each record by the vendor's id, from the final state of the simulators."""
    found = {record["id"]: ("Attio upsert", number_in(record["values"].get("domains"))) for record in attio["records"]}
    return found | {company["id"]: place_of(str(company["company_id"])) for company in intercom["companies"]}


def place_of(company_id: str) -> Place:
    """Companies whose id starts with `app-` belong to the update, the others to the upsert."""
    return (
        ("Intercom update", int(company_id[4:].removesuffix("-twin")))
        if company_id.startswith("app-")
        else ("Intercom upsert", int(company_id))
    )


def number_in(domains: Any) -> int:
    """The company's number in its domains; 0 where there is none."""
    found = _DOMAIN.search(json.dumps(domains))
    return int(found[1]) if found else 0


def sent(write: Write) -> dict[str, Any]:
    """The fields that a write held, the match left out."""
    if "data" in write.body:
        return {name: value for name, value in write.body["data"]["values"].items() if name != "domains"}
    flat = {name: value for name, value in write.body.items() if name not in ("company_id", "custom_attributes")}
    return flat | write.body.get("custom_attributes", {})


def by_change(
    writes: Iterable[Write], changes: Iterable[Change], ids: Mapping[str, Place]
) -> Iterator[tuple[Place, Change, list[Write]]]:
    """Every change that was tried, with the writes that were carried out for it."""
    tried: dict[Place, list[Change]] = defaultdict(list)
    for change in changes:
        if change.first_attempt_at is not None and change.key.isdecimal():
            tried[change.run.activation.name, int(change.key)].append(change)
    written: dict[int, list[Write]] = defaultdict(list)
    for write in sorted(writes, key=lambda write: write.at):
        mine = tried.get(_place(write, ids), [])
        before = [change for change in mine if _begun(change) <= write.at]
        if before:
            written[max(before, key=_begun).pk].append(write)
    for place, mine in tried.items():
        yield from ((place, change, written[change.pk]) for change in mine)


def explain(
    attempts: Iterable[tuple[Place, Change, list[Write]]],
    kills: Sequence[Kill],
    lapses: Sequence[Kill] = (),
    failures: Sequence[Failure] = (),
) -> Repeats:
    """The cause of every repeat: the weather, else the kill that came between, else that another worker took the run over.

    The weather is the cause where it lost the answer, or failed another request of the same record: a record may take two
    (a new match value goes by PATCH, a list by PUT), and both are sent again.

    Args:
        lapses: when a lease had ended and the run went to another worker, also where nobody was killed: a starved worker
            loses its lease as a dead one does.
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
            kill = _cause(before, write, kills) or _lapse(before, write, activation, lapses)
            if not before.answered or _failed_between(before, write, failures):
                repeats.by_weather += 1
            elif kill:
                repeats.by_kill[kill, activation] += 1
            else:
                repeats.unexplained.append(
                    f"{activation}: company {number} was written again after {write.at - before.at:.2f} s"
                )
    return repeats


def _failed_between(before: Write, again: Write, failures: Sequence[Failure]) -> bool:
    return any(one.path == again.path and before.at <= one.at <= again.at for one in failures)


def _cause(before: Write, again: Write, kills: Sequence[Kill]) -> Kill | None:
    between = [kill for kill in kills if before.at - BEFORE_SECONDS <= kill.at <= again.at]
    between = [kill for kill in between if kill.target in HOLDERS] or between
    after = [kill for kill in between if kill.at >= before.at]
    return after[0] if after else between[-1] if between else None


def _lapse(before: Write, again: Write, activation: str, lapses: Sequence[Kill]) -> Kill | None:
    return next(
        (one for one in lapses if activation in one.live and before.at - BEFORE_SECONDS <= one.at <= again.at), None
    )


def _place(write: Write, ids: Mapping[str, Place]) -> Place:
    if "data" in write.body and write.path.endswith("/records"):
        return "Attio upsert", number_in(write.body["data"]["values"].get("domains"))
    if "company_id" in write.body:
        return place_of(str(write.body["company_id"]))
    return ids.get(write.path.rsplit("/", 1)[-1], ("", 0))


def _begun(change: Change) -> float:
    assert change.first_attempt_at is not None
    return change.first_attempt_at.timestamp()
