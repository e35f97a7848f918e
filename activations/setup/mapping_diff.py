"""What the next run sends because of changed field mappings, reported before it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activations.models import Activation, FieldMapping, MappedField, Record, Run

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

MOST_COUNTED = 10_000
"""Of more synchronized records, the number is not counted: of millions, that takes a second."""


def mapped_fields(mappings: Iterable[FieldMapping], adds: Container[str] = ()) -> list[MappedField]:
    """The field mappings as a run stores them. `adds`: the attributes whose values are added to a list."""
    return [
        MappedField(
            row.slot,
            row.target,
            row.column,
            row.value,
            row.when_empty,
            row.target in adds,
            row.country,
            row.template,
            row.round_to_whole,
            row.policy,
        )
        for row in mappings
    ]


def mapping_change(activation: Activation) -> str:
    """What the next run sends for field mappings that are new or changed since the last run; "" if there are none."""
    runs = Run.objects.filter(activation=activation, **Run.WHOLE, generation__isnull=False)
    last = runs.exclude(mapped=[]).first()
    if last is None:
        return ""
    before = {field.target: field.policy for field in last.mapped_fields}
    now = mapped_fields(activation.mappings.all())
    added, remapped = difference(last.mapped_fields, now)
    if not added and not remapped:
        return ""
    allowed = [
        field.target
        for field in now
        if field.target in added and before.get(field.target, field.policy) != field.policy
    ]
    new = [name for name in added if name not in allowed]
    accepted = Record.objects.filter(generation=last.generation_id, accepted_at__isnull=False, left_at=None)
    records = accepted[: MOST_COUNTED + 1].count()
    from_now_on = activation.sends_new_fields_from_now_on
    return " ".join(
        [
            *_added(new, ("is a new field", "are new fields"), records, from_now_on),
            *_added(allowed, ("has a new write policy", "have a new write policy"), records, from_now_on),
            *_remapped(remapped, records),
        ]
    )


def difference(before: Sequence[MappedField], now: Sequence[MappedField]) -> tuple[list[str], list[str]]:
    """PURE. The attributes that are newly mapped, and those that now get their values differently."""
    known = {field.slot: _source(field) for field in before}
    added = [field.target for field in now if field.slot not in known]
    remapped = [field.target for field in now if field.slot in known and known[field.slot] != _source(field)]
    return added, remapped


def _source(field: MappedField) -> MappedField:
    """PURE. The field without what makes no difference to its values."""
    return field._replace(adds=False, policy="always")


def _added(names: list[str], words: tuple[str, str], records: int, from_now_on: bool) -> Iterable[str]:
    """PURE. `words`: what is new about one of them, and about several."""
    if not names:
        return
    new = words[len(names) > 1]
    synchronized = _number(records, "synchronized ")
    if from_now_on:
        yield (
            f"{_listed(names)} {new} that applies from now on: nothing is sent for the {synchronized} until a value "
            "changes."
        )
    else:
        sent = "it" if len(names) == 1 else "them"
        has = "has" if records == 1 else "have"
        yield f"{_listed(names)} {new}: the next run sends only {sent} for the {synchronized} that {has} a value."


def _number(records: int, kind: str = "") -> str:
    """PURE. For example "2,998 synchronized records"."""
    number = f"{records:,}" if records <= MOST_COUNTED else f"more than {MOST_COUNTED:,}"
    return f"{number} {kind}record{'' if records == 1 else 's'}"


def _remapped(names: list[str], records: int) -> Iterable[str]:
    """PURE."""
    if names:
        words = "has a different source" if len(names) == 1 else "have a different source"
        which = "of" if records > MOST_COUNTED else "for up to"
        yield f"{_listed(names)} {words} now. The next run sends only what differs, {which} {_number(records)}."


def _listed(names: list[str]) -> str:
    return ", ".join(f"“{name}”" for name in names)
