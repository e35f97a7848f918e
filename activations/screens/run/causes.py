"""Why records of a run were not accepted: one entry per cause, with its number, an example and what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, Min

from activations.models import Change, Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_CAUSES = 20
MOST_GROUPS = 100
_PARTICULAR = re.compile(r"'[^']*'|\"[^\"]*\"|\d[\d.,]*")
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
    "not_sent": "Nothing to do: the next run sends it.",
}


@dataclass(frozen=True)
class Cause:
    """Why records of a run were not accepted, with one of them as an example.

    Args:
        outcome: a value of `Change.Outcome`.
        field: the attribute at the destination that it is about; "" if it is about none.
        key, name: of the example.
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

    @property
    def sentence(self) -> str:
        """The cause in one line, for a terminal."""
        request = f" (request {self.request_id})" if self.request_id else ""
        example = f" For example {self.key!r}:" if self.key else ""
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
    outcomes = [value for value in Change.Outcome.values if value not in ("", Change.Outcome.ACCEPTED)]
    changes = Change.objects.filter(run=run, outcome__in=outcomes)
    groups = _groups(changes, "outcome", "code", "field", "message")
    if len(groups) == MOST_GROUPS:
        # Too many different messages to be merged: a code and a field are one cause.
        groups = _groups(changes, "outcome", "code", "field")
    merged = merge(groups)[:MOST_CAUSES]
    examples = Change.objects.in_bulk([group.first for group in merged])
    return [_cause(group, examples[group.first]) for group in merged if group.first in examples]


def causes_among(changes: Sequence[Change]) -> list[Cause]:
    """The causes for which these changes were not accepted, the most frequent first."""
    groups = [
        Group(change.outcome, change.code, change.field, change.message, 1, place)
        for place, change in enumerate(changes)
    ]
    return [_cause(group, changes[group.first]) for group in merge(groups)[:MOST_CAUSES]]


def merge(groups: Iterable[Group]) -> list[Group]:
    """PURE. Groups whose messages differ in quoted values and numbers alone become one; the largest come first."""
    merged: dict[tuple[str, str, str, str], list[Group]] = {}
    for group in groups:
        shape = _PARTICULAR.sub("…", group.message)
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


def _cause(group: Group, example: Change) -> Cause:
    return Cause(
        group.outcome, group.code, group.field, group.records, example.key, example.message, example.request_id,
        example.name, example.pk or 0,
    )  # fmt: skip
