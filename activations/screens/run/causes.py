"""Why records of a run were not accepted: one entry per cause, with its number, an example and what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.db.models import Count, Min, Q

from activations.models import Change, Run
from activations.planning.finalize import MATCH_TWIN
from activations.screens.run import refused_values
from destinations.kit.values.options import UNKNOWN_OPTION
from destinations.registry import services

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import QuerySet

MOST_CAUSES = 20
MOST_GROUPS = 100
MOST_TWINS = 5
"""How many of the records that share a match value are shown as examples."""
_PARTICULAR = re.compile(r"“[^”]*”|'[^']*'|\"[^\"]*\"|\d[\d.,]*")
"""What differs between messages of one cause: quoted values and numbers."""
_REMEDIES: dict[str, str] = {
    "not_there": "To create them as well, choose to create new records, under Destination.",
    "already_there": "To update them as well, choose to update existing records, under Destination.",
    **dict.fromkeys(("duplicate_key", "match_twin", "key_empty", "match_empty", "line_unreadable"), ""),
}
"""By code. Empty if the message itself says what to do."""
_REMEDIES_OF_OUTCOMES = {
    "rejected": "Correct the value in the source or change the mapping. What was rejected is retried in a later run.",
    "invalid": "Correct the value in the source or change the mapping. The next run sends what is valid by then.",
    "unknown": "Nothing to do: the next run sends it again.",
    **dict.fromkeys(("accepted", "matched"), "Nothing to do: the next run tries it again."),
    "not_sent": "Nothing to do: the next run sends it.",
}


@dataclass(frozen=True)
class Cause:
    """Why records of a run were not accepted, with one of them as an example.

    Args:
        outcome: a value of `Change.Outcome`.
        field: the attribute at the destination that it is about; "" if it is about none.
        key, name: of the example.
        values: the values that were refused, and of how many records each was, in words; "" if none are stored.
        are_options: whether they were refused because they are not among the options of the attribute.
        others: further examples: the records that share the match value of the first one.
    """

    outcome: str
    code: str
    field: str
    records: int
    key: str
    message: str
    request_id: str
    name: str = ""
    example: int = 0
    values: str = ""
    are_options: bool = False
    others: tuple[Change, ...] = ()

    @property
    def sentence(self) -> str:
        """The cause in one line, for a terminal."""
        request = f" (request {self.request_id})" if self.request_id else ""
        example = f" For example “{self.key}”:" if self.key else ""
        return f"{self.records} {self.outcome} ({self.code or 'no code'}).{example} {self.message}{request}"

    @property
    def label(self) -> str:
        """The outcome in words."""
        return str(Change.Outcome(self.outcome).label)

    @property
    def remedy(self) -> str:
        """What a person can do about it."""
        return remedy(self.outcome, self.code)


@dataclass(frozen=True)
class Group:
    """Changes with the same outcome, code, field and message. `first`: the ID of one of them."""

    outcome: str
    code: str
    field: str
    message: str
    records: int
    first: int


def remedy(outcome: str, code: str) -> str:
    """PURE. What a person can do about records with this outcome; "" if there is nothing to do."""
    return _REMEDIES.get(code, _REMEDIES_OF_OUTCOMES.get(outcome, ""))


def causes(run: Run) -> list[Cause]:
    """The causes for which this run's records were not accepted, the most frequent first."""
    # The outcomes are listed, so that the partial index of what was not accepted serves the query.
    outcomes = [value for value in Change.Outcome.values if value not in ("", *Change.HELD, *Change.FORESEEN)]
    wanted = Q(outcome__in=outcomes)
    if run.incomplete:
        links = services[run.activation.destination.service].links
        wanted |= Q(outcome__in=Change.HELD, field__in=links) & ~Q(code="")
    changes = Change.objects.filter(wanted, run=run)
    groups = _groups(changes, "outcome", "code", "field", "message")
    if len(groups) == MOST_GROUPS:
        # Too many different messages to be merged: a code and a field are one cause.
        groups = _groups(changes, "outcome", "code", "field")
    merged = merge(groups)[:MOST_CAUSES]
    examples = Change.objects.in_bulk([group.first for group in merged])
    values = refused_values.of(changes.exclude(field="").order_by("pk")[: refused_values.MOST_READ])
    return [
        replace(_cause(group, example, values), others=_twins(changes, example))
        for group in merged
        if (example := examples.get(group.first))
    ]


def causes_among(changes: Sequence[Change]) -> list[Cause]:
    """The causes for which these changes were not accepted, the most frequent first."""
    groups = [
        Group(change.outcome, change.code, change.field, change.message, 1, place)
        for place, change in enumerate(changes)
    ]
    values = refused_values.of(changes)
    return [
        replace(_cause(group, example, values), others=_twins_among(changes, example))
        for group in merge(groups)[:MOST_CAUSES]
        if (example := changes[group.first])
    ]


def merge(groups: Iterable[Group]) -> list[Group]:
    """PURE. Groups whose messages differ in quoted values and numbers alone become one; the largest come first.

    Messages about a shared match value name as many rows as share it, so they differ in more. They are one cause.
    """
    merged: dict[tuple[str, str, str, str], list[Group]] = {}
    for group in groups:
        shape = "" if group.code == MATCH_TWIN else _PARTICULAR.sub("…", group.message)
        merged.setdefault((group.outcome, group.code, group.field, shape), []).append(group)
    whole = [_one(same) for same in merged.values()]
    return sorted(whole, key=lambda group: (-group.records, group.first))


def _one(same: Sequence[Group]) -> Group:
    first = min(same, key=lambda group: group.first)
    return Group(
        first.outcome, first.code, first.field, first.message, sum(group.records for group in same), first.first
    )


def _groups(changes: object, *columns: str) -> list[Group]:
    counted = changes.values_list(*columns).annotate(number=Count("pk"), first=Min("pk"))  # type: ignore[attr-defined]
    rows = counted.order_by("-number")[:MOST_GROUPS]
    message = ("",) if "message" not in columns else ()
    return [Group(*row[:3], *message, *row[3:]) for row in rows]


def _cause(group: Group, example: Change, values: refused_values.Values) -> Cause:
    found = refused_values.in_words(values.get((group.outcome, group.code, group.field)), group.records)
    return Cause(
        group.outcome, group.code, group.field, group.records, example.key, example.message, example.request_id,
        example.name, example.pk or 0, found, group.code == UNKNOWN_OPTION,
    )  # fmt: skip


def _twins_among(changes: Sequence[Change], example: Change) -> tuple[Change, ...]:
    if example.code != MATCH_TWIN:
        return ()
    same = [change for change in changes if change.message == example.message and change is not example]
    return tuple(same[: MOST_TWINS - 1])


def _twins(changes: QuerySet[Change], example: Change) -> tuple[Change, ...]:
    """Other records that share the match value of the example: these have the same message."""
    if example.code != MATCH_TWIN:
        return ()
    same = changes.filter(code=MATCH_TWIN, message=example.message).exclude(pk=example.pk)
    return tuple(same.order_by("pk")[: MOST_TWINS - 1])
