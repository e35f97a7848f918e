"""The fields of changes: what was sent, and what the destination had accepted before."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from activations.models import Activation, Change
from activations.reasons import ANOTHER
from activations.screens import plain_values
from activations.setup.policy_words import kept_because
from destinations import discovery

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from activations.storage import held_values

MOST_EARLIER = 5_000
"""Earlier changes that are read for one page."""
UNKNOWN = "unknown"
NO_POLICIES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class FieldChange:
    """One field of a change in words.

    Args:
        before: what was last accepted, or what the destination held when a live dry run looked; "" if nothing was,
            `UNKNOWN` if that is no longer kept.
        after: the value of this change.
        is_sent: whether the value was in the request, or would be.
        kept: why a write policy left the field as it is; "" if none did.
        is_same: the destination held the same value when a live dry run looked.
    """

    name: str
    label: str
    before: str
    after: str
    is_sent: bool
    kept: str = ""
    is_same: bool = False


Earlier = dict[int, list[tuple[int, list[str], dict[str, Any]]]]
"""Key digest → accepted changes, newest first: ID, names of the attributes that were sent or equal, and all values."""


def labels(activation: Activation) -> dict[str, str]:
    """The vendor's labels of attributes by their names, as last discovered. Sends no request."""
    found = discovery.cached(activation.destination)
    return {field.name: field.label or field.name for field in found.fields} if found else {}


def earlier(activation: Activation, changes: Sequence[Change]) -> Earlier:
    """The accepted changes of the same records and activation before these, with one query."""
    digests = {change.key_digest for change in changes if may_have_before(change)}
    if not digests:
        return {}
    accepted = Change.objects.filter(
        run__activation=activation,
        run__dry_run=False,
        key_digest__in=digests,
        outcome__in=Change.HELD,
        pk__lt=max(change.pk for change in changes if change.pk),
    )
    found: Earlier = {}
    rows = accepted.order_by("-pk").values_list("key_digest", "pk", "outcome", "sent", "values", "kept")[:MOST_EARLIER]
    for digest, pk, outcome, sent, values, kept in rows:
        held = [name for name in values if name not in (kept or ())]
        names = held if outcome == Change.Outcome.MATCHED else sent
        found.setdefault(digest, []).append((pk, names, values))
    return found


def may_have_before(change: Change) -> bool:
    """Whether the destination had accepted something for the record that this change is about."""
    return bool(change.pk) and not change.is_new and change.code != ANOTHER.code


def of(
    change: Change,
    before: Earlier,
    names: Mapping[str, str],
    policies: Mapping[str, str] = NO_POLICIES,
    held: held_values.Fields | None = None,
) -> list[FieldChange]:
    """The fields of a change to show: those sent, changed or kept, or else all of them.

    Args:
        policies: the write policies of the run by attribute.
        held: what the record held when a live dry run looked, if that is still kept.
    """
    if change.outcome in Change.FORESEEN:
        return _foreseen(change, held or {}, names, policies)
    if set(change.values) == {"rows"}:
        return _of_rows(change.values["rows"], names)
    kept = change.kept or ()
    shown: Iterable[str] = dict.fromkeys([*change.sent, *change.changed, *kept]) or change.values
    if change.field and change.outcome in (Change.Outcome.REJECTED, Change.Outcome.INVALID):
        shown = dict.fromkeys([change.field, *shown])
    settled = change.outcome not in ("", Change.Outcome.UNKNOWN, Change.Outcome.REJECTED)
    known = before.get(change.key_digest, []) if may_have_before(change) else []
    return [
        FieldChange(
            name,
            names.get(name, name),
            _before(change, name, known),
            plain_values.in_words(change.values.get(name, change.match_value)),
            name in change.sent or not settled,
            kept_because((policies.get(name, ""),)) if name in kept else "",
        )
        for name in shown
    ]


def _foreseen(
    change: Change, held: held_values.Fields, names: Mapping[str, str], policies: Mapping[str, str]
) -> list[FieldChange]:
    """The fields that would be sent, and those that a policy would keep. Those that differ come first."""
    kept = change.kept or ()
    is_new = change.outcome == Change.Outcome.CREATES
    shown = [
        FieldChange(
            name,
            names.get(name, name),
            "" if is_new else _held(held.get(name, {})),
            plain_values.in_words(change.values.get(name, change.match_value)),
            is_sent=name in change.sent,
            kept=kept_because((policies.get(name, ""),)) if name in kept else "",
            is_same="same" in held.get(name, {}),
        )
        for name in dict.fromkeys([*change.sent, *kept])
    ]
    return sorted(shown, key=lambda field: (field.is_same, bool(field.kept)))


def _held(field: Mapping[str, Any]) -> str:
    return plain_values.in_words(field["held"]) if "held" in field else UNKNOWN


def _before(change: Change, name: str, known: Sequence[tuple[int, list[str], dict[str, Any]]]) -> str:
    if not may_have_before(change):
        return ""
    for pk, sent, values in known:
        if pk < change.pk and name in sent and name in values:
            return plain_values.in_words(values[name])
    return UNKNOWN


def _of_rows(rows: object, names: Mapping[str, str]) -> list[FieldChange]:
    """The fields of rows that were settled together, because they share a key or a match value."""
    listed = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    found = {name: names.get(name, name) for row in listed for name in row}
    return [
        FieldChange(name, label, "", " / ".join(plain_values.in_words(row.get(name)) for row in listed), False)
        for name, label in found.items()
    ]
