"""Counts what the guards compare: the last completed run, and the changes that are due to the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import polars as pl
from django.db.models import Q

from activations.guards import rules
from activations.models import Activation, Change, Run
from activations.reasons import ANOTHER
from activations.setup import mapping_diff
from activations.storage import bundles
from destinations.contract import Mode

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

COMPLETED = (Run.State.SUCCEEDED, Run.State.COMPLETED_WITH_WARNINGS)
PERSON = (Run.Trigger.MANUAL, Run.Trigger.CLI)
"""Started by somebody who saw, or could have seen, what the run does."""


def limits(activation: Activation) -> rules.Limits:
    """The guards of an activation."""
    return rules.Limits(
        empty=activation.hold_empty,
        size_percent=activation.hold_size_percent,
        creates=activation.hold_creates,
        change_percent=activation.hold_change_percent,
        first_creates=activation.hold_first_creates,
    )


def holds(run: Run, counts: Mapping[str, int], synchronized: int, *, again: int = 0) -> list[rules.Hold]:
    """The guards that hold a run that was just planned. A one-record run has none, and neither has a check for drift.

    Args:
        counts: the counts of its plan, by column of `Run`.
        synchronized: how many records were accepted before, without those that left and are still gone.
        again: how many of the known records to send did not change: the destination did not take their values before.
    """
    if run.only_key or run.kind == Run.Kind.DRIFT:
        return []
    before = last_completed(run)
    restores = run.only_fields is not None
    full = run.kind == Run.Kind.FULL and not restores
    planned = rules.Planned(
        rows=counts["rows"],
        rows_before=before.rows if before else None,
        new=counts["new"],
        changed=0 if full else max(0, counts["known"] - again - (0 if restores else _by_mapping(run, before))),
        synchronized=synchronized,
        creates=run.activation.mode != Mode.UPDATE,
        full=full,
        agreed=_agreed(run),
    )
    return rules.holds(limits(run.activation), planned)


def last_completed(run: Run) -> Run | None:
    """The last run of all records before this one that was delivered to its end."""
    return _earlier(run).filter(state__in=COMPLETED).order_by("-pk").first()


def _earlier(run: Run) -> Any:
    return Run.objects.filter(activation=run.activation_id, pk__lt=run.pk, **Run.WHOLE)


def _agreed(run: Run) -> bool:
    """Whether a person started the run, or a run that created records was started by one or delivered before."""
    if run.trigger in PERSON:
        return True
    began = _earlier(run).exclude(state=Run.State.CANCELLED, accepted=0)
    return bool(began.filter(Q(trigger__in=PERSON) | Q(new__gt=0, compared_at__isnull=False)).exists())


def _by_mapping(run: Run, before: Run | None) -> int:
    """How many known records change only in attributes that were mapped, or mapped differently, since that run.

    Whoever changed the mapping has agreed to that. Without an earlier run, there is nothing to tell apart.
    """
    if before is None:
        return 0
    added, remapped = mapping_diff.difference(before.mapped_fields, run.mapped_fields)
    names = {*added, *remapped}
    if not names:
        return 0
    listed = Change.objects.filter(run=run, state=Change.State.PENDING, is_new=False).exclude(code=ANOTHER.code)
    number = sum(names.issuperset(changed) for changed in listed.values_list("changed", flat=True).iterator())
    for frame in bundles.read(run, ["is_new", "code", "changed"]):
        known = frame.filter(~pl.col("is_new") & (pl.col("code") != ANOTHER.code))
        number += _subsets(known["changed"], names)
    return number


def _subsets(changed: pl.Series, names: Collection[str]) -> int:
    """PURE. How many of these JSON lists contain nothing but the names. Thousands of rows have few distinct lists."""
    distinct = [text for text in changed.unique() if set(orjson.loads(text)) <= set(names)]
    return int(changed.is_in(distinct).sum())
