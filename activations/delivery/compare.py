"""Compares what a change would send with what the record holds already, so that only the difference is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activations.delivery.steps import Reads
from activations.models import Run

if TYPE_CHECKING:
    from collections.abc import Collection

    from activations.models import Change
    from activations.vendor_session import Context
    from destinations.contract import Held


def compares(context: Context) -> bool:
    """Whether records are compared before they are written for the first time."""
    return context.activation.compares(context.service)


def adds(context: Context) -> frozenset[str]:
    """The attributes whose values are added to a list at the destination instead of replacing it."""
    return frozenset(field.target for field in context.run.mapped_fields if field.adds)


def reads(context: Context) -> Reads:
    """When this run looks records up although a write could do without."""
    compare = compares(context)
    return Reads(
        merges=context.service.reads_first([field.target for field in context.run.mapped_fields]),
        compares=compare,
        all=compare and context.run.kind == Run.Kind.FULL,
    )


def differing(context: Context, change: Change, held: Held, adds: Collection[str]) -> tuple[str, ...]:
    """The attributes of a change that the record holds differently. Those that the change would not send don't count.

    A match that is a list differs if the record lacks one of its values.

    Args:
        adds: the attributes whose values are added to a list.

    Raises:
        Problem: the destination's attributes can't be requested.
    """
    service, fields = context.service, context.fields_by_name
    names = change.changed if change.remote_id else change.values
    wires = {name: change.values[name] for name in names if name in change.values}
    different = [name for name, wire in wires.items() if not service.same(fields[name], wire, held, adds=name in adds)]
    match = context.match_field
    if isinstance(change.match_value, list) and not service.same(match, change.match_value, held, adds=True):
        different.append(match.name)
    return tuple(different)
