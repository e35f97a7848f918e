"""Which generation of the baseline a run belongs to: the current one, a new one, or for a dry run an empty one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activations.models import Activation, Generation, Run
from activations.setup.identity import HOW_TO_RESET, Identity
from activations.setup.spec_from_db import current_generation
from core.errors import Misconfigured

if TYPE_CHECKING:
    from activations.runs.lease import Lease

FIRST_RUN = "First run"
RESET = "The sync history was reset"


def enter(run: Run, lease: Lease, identity: Identity, workspace_name: str) -> Generation:
    """Stores the generation that the run belongs to on the run, and makes the run a full one if it has no records yet.

    A new generation, and the use of the consent to it, are one transaction: a worker that dies here leaves both or
    neither.

    Args:
        workspace_name: the vendor's own, for the message.

    Raises:
        Misconfigured: what identifies records changed, and nobody agreed to a reset.
        Lost: a different worker holds the run.
    """
    activation = run.activation
    with lease.fenced():
        agreed = Activation.objects.values_list("start_afresh", flat=True).get(pk=activation.pk)
        current = current_generation(activation)
        if current is None or starts_new(
            Identity.parse(current.identity), identity, agreed, current.records.exists(), workspace_name
        ):
            current = _new(run, current, identity)
        elif agreed and not run.dry_run:
            _use_consent(run)
        reason = "" if run.kind == Run.Kind.DRIFT or current.records.exists() else _reason(current)
        full = {"kind": Run.Kind.FULL, "reason": reason} if reason else {}
        lease.update(generation=current, **full)
    return current


def starts_new(accepted: Identity, identity: Identity, agreed: bool, has_records: bool, workspace_name: str) -> bool:
    """PURE. Whether a run can't go on with a generation.

    Raises:
        Misconfigured: it can't, and nobody agreed to a reset.
    """
    changes = identity.changes(accepted)
    if changes and has_records and not agreed:
        raise _changed(changes, workspace_name)
    return bool(changes) or (agreed and has_records)


def _new(run: Run, current: Generation | None, identity: Identity) -> Generation:
    if run.dry_run:
        # Planned against nothing, so that no later run mistakes it for the current one.
        empty = {"identity": identity.stored()}
        return Generation.objects.update_or_create(activation=run.activation, number=Generation.EMPTY, defaults=empty)[
            0
        ]
    _use_consent(run)
    return Generation.objects.create(
        activation=run.activation, number=current.number + 1 if current else 1, identity=identity.stored()
    )


def _use_consent(run: Run) -> None:
    Activation.objects.filter(pk=run.activation_id).update(start_afresh=False)


def _reason(generation: Generation) -> str:
    is_first = not generation.activation.generations.exclude(pk=generation.pk).exclude(number=Generation.EMPTY).exists()
    return FIRST_RUN if is_first else RESET


def _changed(changes: tuple[str, ...], workspace_name: str) -> Misconfigured:
    if "workspace" in changes:
        return Misconfigured(
            "workspace_changed",
            f"The credential belongs to a different workspace ({workspace_name}) than the records that were "
            f"synchronized so far. Restore the previous credential, or reset the sync history: {HOW_TO_RESET}.",
        )
    return Misconfigured(
        "identity_changed",
        f"The {' and '.join(changes)} of this activation changed, so its sync history no longer applies. Change it "
        f"back, or reset the sync history: {HOW_TO_RESET}.",
    )
