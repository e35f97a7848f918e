"""Compares what a change would send with what the record holds already, so that only the difference is sent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from activations.delivery.policies import Difference, Policies, Reads
from activations.models import Run

if TYPE_CHECKING:
    from collections.abc import Collection

    from activations.models import Change
    from activations.vendor_session import Context
    from destinations.contract import Held


def compares(context: Context) -> bool:
    """Whether records are compared before they are written for the first time."""
    return _restores(context) or context.activation.compares(context.service)


def _restores(context: Context) -> bool:
    """Whether the run sends only what was edited at the destination."""
    return context.run.only_fields is not None


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
        policies=Policies.of(context.activation.mode, context.run.mapped_fields),
    )


def difference(context: Context, change: Change, held: Held, policies: Policies, adds: Collection[str]) -> Difference:
    """What a change would do to a record, as the record is now.

    A match that is a list differs if the record lacks one of its values.

    Args:
        adds: the attributes whose values are added to a list.

    Raises:
        Problem: the destination's attributes can't be requested.
    """
    service, fields, match = context.service, context.fields_by_name, context.match_field

    def equal(name: str) -> bool:
        return service.same(fields[name], change.values[name], held, adds=name in adds)

    names = change.changed if change.remote_id else change.values
    found = policies.difference(
        [name for name in names if name in change.values], equal, lambda name: service.is_empty(fields[name], held)
    )
    if _restores(context):
        return found
    may_lack_match = isinstance(change.match_value, list) or (change.remote_id and match.name in change.changed)
    if may_lack_match and not service.same(match, change.match_value, held, adds=True):
        return replace(found, send=(*found.send, match.name))
    return found
