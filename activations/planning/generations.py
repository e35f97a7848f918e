"""Which generation of the baseline a run belongs to, and why it starts a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from activations.models import Activation, Generation
from core.errors import Misconfigured

if TYPE_CHECKING:
    from activations.vendor_session import Context
    from destinations.contract import Workspace


def generation(context: Context, workspace: Workspace) -> tuple[Generation, str]:
    """The generation that the run belongs to, and why it is a new one ("" where it is not).

    Raises:
        Misconfigured: what identifies records changed, and nobody agreed to start afresh.
    """
    activation = context.activation
    identity = {
        "workspace": workspace.id,
        "service": context.service.slug,
        "key": activation.data_model.primary_key,
        "model": activation.data_model.pk,
        "match": [activation.match_column, activation.match_field],
    }
    current = activation.generations.first()
    if not context.run.dry_run:
        Activation.objects.filter(pk=activation.pk).update(start_afresh=False)
    if current and current.identity == identity:
        return current, "" if current.records.exists() else _reason(current)
    if current and not activation.start_afresh and current.records.exists():
        raise _changed(current.identity, identity, workspace)
    number = current.number + 1 if current else 1
    # A dry run may make the same one at the same time.
    made, _ = Generation.objects.get_or_create(activation=activation, number=number, defaults={"identity": identity})
    return made, _reason(made)


def _reason(of: Generation) -> str:
    return "First run" if of.number == 1 else "What identifies records changed"


_AFRESH = (
    "agree that this activation starts afresh: “Start afresh” on its page, or `manage.py activate NAME --start-afresh`."
)


def _changed(before: dict[str, Any], now: dict[str, Any], workspace: Workspace) -> Misconfigured:
    if before["workspace"] != now["workspace"]:
        return Misconfigured(
            "workspace_changed",
            f"The credential belongs to another workspace ({workspace.name}) than the one that was synchronized until now. "
            f"Put the former credential back, or {_AFRESH}",
        )
    return Misconfigured(
        "identity_changed",
        "The key or the match of this activation changed, so what was sent before says nothing about its records any more. "
        f"Put it back, or {_AFRESH}",
    )
