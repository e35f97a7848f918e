"""Says before a run starts what a change of the mappings will make it send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from activations.models import Activation, FieldMapping, Record, Run

if TYPE_CHECKING:
    from collections.abc import Container, Iterable


def described(mappings: Iterable[FieldMapping], adds: Container[str] = ()) -> list[list[Any]]:
    """The mappings as a run keeps them: slot, attribute, where its values come from, and whether they are added to a list."""
    return [[one.slot, one.target, one.column, one.value, one.when_empty, one.target in adds] for one in mappings]


def mapping_change(activation: Activation) -> str:
    """What the next run does about mappings that the last one did not have, or had otherwise; "" where there are none."""
    last = Run.objects.filter(activation=activation, dry_run=False, generation__isnull=False).exclude(mapped=[]).first()
    if last is None:
        return ""
    before = {slot: rest for slot, *rest, _ in last.mapped}
    now = described(activation.mappings.all())
    added = [rest[0] for slot, *rest, _ in now if slot not in before]
    remapped = [rest[0] for slot, *rest, _ in now if slot in before and before[slot] != rest]
    if not added and not remapped:
        return ""
    records = Record.objects.filter(generation=last.generation_id, accepted_at__isnull=False, left_at=None).count()
    from_now_on = activation.backfill == Activation.Backfill.NEW
    return " ".join([*_added(added, records, from_now_on), *_remapped(remapped, records)])


def _added(names: list[str], records: int, from_now_on: bool) -> Iterable[str]:
    """PURE."""
    if not names:
        return
    new = "is a new field" if len(names) == 1 else "are new fields"
    there = f"{records:,} record{'' if records == 1 else 's'} there already"
    if from_now_on:
        yield f"{_listed(names)} {new}, from now on: nothing of it is sent for the {there} until a value changes."
    else:
        yield f"{_listed(names)} {new}: the next run sends it alone for the {there}, as far as they have a value."


def _remapped(names: list[str], records: int) -> Iterable[str]:
    """PURE."""
    if names:
        words = "comes from elsewhere now" if len(names) == 1 else "come from elsewhere now"
        yield f"{_listed(names)} {words}. The next run sends it alone, for those of {records:,} records whose value differs."


def _listed(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names)
