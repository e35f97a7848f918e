"""Decides about drift: *restore ours* starts a run that sends our values, *leave theirs* remembers what is held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction

from activations.models import Drift, FieldMapping, LeftValue, Run
from activations.runs import requests
from core.audit import Verb, announce
from core.errors import Misconfigured

if TYPE_CHECKING:
    from django.db.models import QuerySet

REASON = "Restores what was edited at the destination"
CHUNK = 2_000


def selected(check: Run, field: str = "", change_id: int | None = None) -> QuerySet[Drift]:
    """What a check found and nobody has decided about: all of it, or that of an attribute, a record, or both."""
    found = Drift.objects.open().filter(run=check)
    if field:
        found = found.filter(field=field)
    return found if change_id is None else found.filter(change_id=change_id)


def restore(chosen: QuerySet[Drift], check: Run, trigger: str, *, enqueue: bool = True) -> Run:
    """Starts a run that sends our values of these attributes, if their records still hold them differently.

    Args:
        chosen: from `selected`.
        trigger: a value of `Run.Trigger`.

    Raises:
        Misconfigured: nothing is left to restore, or a run of the activation is in progress or waits for approval.
    """
    try:
        with transaction.atomic():
            names = sorted(chosen.order_by().values_list("field", flat=True).distinct())
            if not names:
                raise Misconfigured("nothing_to_restore", "Nothing is left to restore. Check for drift again.")
            columns = {"only_fields": names, "reason": REASON}
            run = requests.create(check.activation, trigger, True, False, enqueue, "", **columns)
            ids = chosen.order_by().values("pk")
            Drift.objects.filter(pk__in=ids).update(restored_by=run)
            announce(Verb.RESTORED, run, {"Fields": ("", ", ".join(names))}, run=run.pk)
    except IntegrityError:
        raise Misconfigured(
            "run_live",
            "A run of this activation is in progress or waits for approval. Restore once it has ended.",
        ) from None
    return run


def leave(chosen: QuerySet[Drift], check: Run) -> int:
    """Remembers what these records hold, so that it isn't reported again until it changes. Returns how many values."""
    number, generation = 0, check.generation_id
    assert generation is not None
    while rows := list(chosen.order_by("pk")[:CHUNK]):
        left = [
            LeftValue(generation_id=generation, key_digest=row.key_digest, field=row.field,
                      held_digest=row.held_digest)
            for row in rows
        ]  # fmt: skip
        with transaction.atomic():
            LeftValue.objects.bulk_create(
                left,
                update_conflicts=True,
                unique_fields=["generation", "key_digest", "field"],
                update_fields=["held_digest"],
            )
            Drift.objects.filter(pk__in=[row.pk for row in rows]).update(is_left=True)
        number += len(rows)
    if number:
        announce(Verb.LEFT, check, {"Values": ("", f"{number:,}")}, run=check.pk)
    return number


def healing(run: Run) -> QuerySet[Drift]:
    """The drift that a check found in attributes that are restored automatically."""
    policies = run.mapped_fields
    names = [field.target for field in policies if field.policy == FieldMapping.Policy.RESTORE]
    return Drift.objects.open().filter(run=run, field__in=names)


def heal(check: Run) -> Run | None:
    """Starts the run that a completed check asked for, once. None if another run is in progress: then later."""
    if not Run.objects.filter(pk=check.pk, follow_up=True).exists():
        return None
    try:
        with transaction.atomic():
            claimed = Run.objects.filter(pk=check.pk, follow_up=True).update(follow_up=False)
            return restore(healing(check), check, Run.Trigger.SCHEDULE) if claimed else None
    except Misconfigured as problem:
        if problem.code == "nothing_to_restore":
            Run.objects.filter(pk=check.pk).update(follow_up=False)
        return None
