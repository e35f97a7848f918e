"""Loads everything that is known about one record: its changes and sync history in each activation of its model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Max, Q

from activations import digests
from activations.alerts.state import PAUSED_BY_SYSTEM, RELATED, State, states
from activations.models import Activation, Change, Generation, Record, Run
from activations.screens.timeline.answers import Decision, Facts, Now
from destinations.registry import platforms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from segments.models import DataModel, Segment
    from segments.reading.one_row import Row

MOST_CHANGES = 200
UNREAD = ("run__mapped", "run__missing", "run__found_warnings", "field_digests")
"""What the timeline never shows."""


@dataclass(frozen=True)
class Loaded:
    """What is stored about a record.

    Args:
        changes: the newest first, at most `MOST_CHANGES`, those of dry runs included.
        records: its baseline, by activation.
        compared: when a run last compared the source with the sync history, by activation.
    """

    model: DataModel
    key: str
    activations: Sequence[Activation]
    states: Mapping[int, State]
    changes: Sequence[Change]
    records: Mapping[int, Record]
    compared: Mapping[int, datetime]

    @property
    def name(self) -> str:
        """The value of the display column as last seen by a run; "" if none is known."""
        return next((change.name for change in self.changes if change.name), "")

    @property
    def segments(self) -> list[Segment]:
        """The segments whose conditions decide about the record."""
        found = {activation.segment_id: activation.segment for activation in self.activations if activation.segment}
        return list(found.values())


def load(model: DataModel, key: str, now: datetime) -> Loaded:
    """Everything that is stored about a record of this model. The number of queries does not depend on its rows."""
    activations = list(
        Activation.objects.filter(Q(model=model) | Q(segment__model=model))
        .select_related(*RELATED)
        .prefetch_related("mappings")
    )
    changes = _changes(activations, key)
    return Loaded(
        model,
        key,
        activations,
        states(activations, now),
        changes,
        _records(activations, key),
        _compared(activations),
    )


def facts(loaded: Loaded, activation: Activation, row: Row | None) -> Facts:
    """What `answers.answer` needs to know about the record in one activation.

    Args:
        row: the record in the source; None if it was not read.
    """
    state, record = loaded.states[activation.pk], loaded.records.get(activation.pk)
    is_draft = activation.is_draft
    return Facts(
        vendor=platforms[activation.destination.connection.platform].label,
        segment=str(activation.segment or ""),
        now=_now(activation, row),
        decision=_decision(loaded, activation),
        held="" if is_draft else _held(state),
        failed="" if state.slug != "failing" else " ".join(state.causes),
        draft=is_draft,
        compared_at=loaded.compared.get(activation.pk),
        next_run=state.next_run,
        accepted_at=record.accepted_at if record else None,
        left_at=record.left_at if record else None,
        tried=record.tried if record else "",
        retry_at=record.retry_at if record else None,
    )


def _changes(activations: Sequence[Activation], key: str) -> list[Change]:
    found = Change.listed.filter(key_digest=digests.of_text(key), key=key, run__activation__in=activations)
    return list(found.select_related("run").defer(*UNREAD).order_by("-pk")[:MOST_CHANGES])


def _records(activations: Sequence[Activation], key: str) -> dict[int, Record]:
    latest = Generation.objects.filter(activation__in=activations, number__gt=Generation.EMPTY).values("activation")
    newest = latest.annotate(newest=Max("pk")).order_by().values("newest")
    found = Record.objects.filter(generation__in=newest, key_digest=digests.of_text(key)).select_related("generation")
    return {record.generation.activation_id: record for record in found}


def _compared(activations: Sequence[Activation]) -> dict[int, datetime]:
    ended = Run.objects.filter(activation__in=activations, **Run.WHOLE).exclude(compared_at=None)
    rows: Any = ended.values_list("activation").annotate(last=Max("compared_at")).order_by()
    return dict(rows)


def _now(activation: Activation, row: Row | None) -> Now | None:
    if row is None:
        return None
    segment = activation.segment_id
    return Now(row.values is not None, row.segments.get(segment) if segment else None)


def _decision(loaded: Loaded, activation: Activation) -> Decision | None:
    for change in loaded.changes:
        run = change.run
        if run.activation_id == activation.pk and not run.dry_run:
            return Decision(
                run.number,
                change.outcome,
                moment(change),
                change.message,
                change.created,
                tuple(change.sent),
                run.is_live,
            )
    return None


def moment(change: Change) -> datetime:
    """When a change was settled, or else when its run began."""
    return change.settled_at or change.run.started_at or change.run.created_at


def _held(state: State) -> str:
    if state.slug == "paused":
        return "The activation is paused."
    if state.slug == PAUSED_BY_SYSTEM:
        return " ".join(["The activation is paused by the system.", *state.causes])
    return ""
