"""What a live dry run found at the destination, for programs and spreadsheets, and what it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from activations.models import Change, Run
from activations.screens import plain_values
from activations.screens.editor import words
from activations.screens.hidden_values import mask_all
from activations.screens.run import download, sentence
from activations.storage import held_values
from destinations.registry import services

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from destinations.contract import Service

COLUMNS = ["key", "name", "outcome", "field", "at the destination", "would be sent", "reason"]
ACTIONS = {
    "create": "creates", "update": "updates", "leave": "matched", "keep": "kept", "skip": "skipped",
    "refuse": "rejected", "invalid": "invalid", "not_compared": "not_sent",
}  # fmt: skip
"""What a run would do with a record, and the counter of the run."""
SAMPLE = 20


def requests_of(service: Service, records: int) -> str:
    """PURE. How many requests it takes to compare records, and how long, as a person would say it."""
    number, seconds = service.limits.lookups(records), service.limits.lookup_seconds(records)
    return f"{number:,} request{'' if number == 1 else 's'}, {words.rough_length(seconds)}"


def pace(run: Run, service: Service) -> str:
    """How long sending what a live dry run found takes at least; "" if there is nothing to send."""
    number = run.creates + run.updates
    length = words.rough_length(words.seconds_to_send(number, service.limits))
    vendor, many = service.platform.label, service.record_nouns[1]
    return f"Sending {number:,} {many} takes {length} at the fastest pace that {vendor} allows." if number else ""


def sentences(run: Run) -> list[str]:
    """What a live dry run found and took, for a terminal; none of any other run."""
    if not run.live or run.state != Run.State.PLANNED:
        return []
    service = services[run.activation.destination.service]
    one, many = service.record_nouns
    found = sentence.foreseen(
        sentence.Facts(run.state, run.counts(), one=one, many=many, vendor=service.platform.label)
    )
    took = f"It took {run.lookup_requests:,} of at most {service.limits.lookups(run.planned):,} lookup requests."
    return [line for line in (found, took, pace(run, service)) if line]


def summary(run: Run) -> dict[str, Any]:
    """What a run would do, and what it takes: for programs.

    `lookup_requests_at_most` is what was announced, and `lookup_requests` what it took. The seconds are the shortest
    time that the rate limit of the vendor allows.
    """
    limits = services[run.activation.destination.service].limits
    writes = run.creates + run.updates
    return {
        "would": {action: getattr(run, counter) for action, counter in ACTIONS.items()},
        "lookup_requests_at_most": limits.lookups(run.planned),
        "lookup_requests": run.lookup_requests,
        "seconds": {
            "compare": round(limits.lookup_seconds(run.planned), 1),
            "send": round(words.seconds_to_send(writes, limits), 1),
        },
    }


def records(run: Run, after: int = 0, number: int = SAMPLE, *, sees: bool = True) -> list[dict[str, Any]]:
    """The records of a live dry run in JSON, in order, with the fields that would be sent.

    Args:
        after: the `id` of the last record that was seen.
        sees: whether they contain names and values.
    """
    changes = list(run.changes.filter(pk__gt=after, state=Change.State.SETTLED).order_by("pk")[:number])
    held = held_values.of([change.pk for change in changes])
    changes = changes if sees else mask_all(changes)
    return [
        {
            "id": change.pk,
            "key": change.key,
            "name": change.name,
            "outcome": change.outcome,
            "code": change.code,
            "message": change.message,
            "remote_id": change.remote_id,
            "web_url": change.web_url,
            "fields": _fields(change, held.get(change.pk, {}), sees),
        }
        for change in changes
    ]


def _fields(change: Change, held: held_values.Fields, sees: bool) -> list[dict[str, Any]]:
    """The fields that would be sent, and those that a write policy would keep.

    `held` is left out if it is not known, and `same` tells that nothing changes.
    Both values are left out for somebody who may not see them.
    """
    kept, sent = change.kept or [], change.sent if change.outcome in Change.FORESEEN else []
    return [
        {
            "field": name,
            **{fact: value for fact, value in held.get(name, {}).items() if sees or fact == "same"},
            **({"kept": True} if name in kept else {}),
            **({"value": change.values.get(name, change.match_value)} if sees else {}),
        }
        for name in dict.fromkeys([*sent, *kept])
    ]


def lines(run: Run, *, sees: bool) -> Iterator[str]:
    """The whole comparison as CSV: one line for each field that would be sent, and one for each other record."""
    yield download.MARK + download.written([COLUMNS])
    last = 0
    settled = run.changes.filter(state=Change.State.SETTLED).order_by("pk")
    while batch := list(settled.filter(pk__gt=last)[: download.ROWS_AT_A_TIME]):
        held = held_values.of([change.pk for change in batch])
        batch = batch if sees else mask_all(batch)
        yield download.written(row for change in batch for row in _rows(change, held.get(change.pk, {}), sees))
        last = batch[-1].pk


def _rows(change: Change, held: held_values.Fields, sees: bool) -> Iterator[list[str]]:
    start = (change.key, change.name, str(change.get_outcome_display()))
    fields: Sequence[Mapping[str, Any]] = _fields(change, held, sees) or [{"field": change.field}]
    for field in fields:
        before = plain_values.in_words(field["held"]) if "held" in field else ""
        after = plain_values.in_words(field["value"]) if "value" in field else ""
        left = "kept by a write policy" if "kept" in field else "the same" if "same" in field else ""
        reason = left or change.message or change.code
        yield [download.safe(cell) for cell in (*start, field["field"], before, after, reason)]
