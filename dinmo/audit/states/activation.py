"""An activation with its mappings, schedules, attached contacts and tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from activations.models import Activation, AttachContacts, FieldMapping, SystemPause
from activations.scheduling import definition
from activations.setup.policy_words import SHORT
from activations.warning_kinds import limits
from core.errors import Misconfigured
from core.text.listing import listed
from dinmo.audit.states.fields import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from activations.models import Schedule

PAUSED, DRAFT = "Paused", "Draft"
NOT_PAUSED = "No"


def activation(row: Activation) -> Iterator[tuple[str, Any]]:
    guards = [field for field in row._meta.concrete_fields if field.name.startswith("hold_")]
    yield from plain(row, without=("paused", "thresholds", *(field.name for field in guards)))
    for field in guards:
        yield f"Guard: {field.verbose_name}", getattr(row, field.name)
    yield PAUSED, _paused(row)
    yield DRAFT, row.is_draft
    yield "Reset the sync history in the next run", row.start_afresh
    labels = {limit.key: limit.label for limit in limits()}
    for key, value in row.thresholds.items():
        yield f"Limit: {labels.get(key, key)}", "Off" if value is None else value
    for mapping in row.mappings.all():
        yield f"Mapping to {mapping.target}", _mapping(mapping)
    yield "Schedules", sorted(map(_schedule, row.schedules.select_related("after")))
    yield "Attach contacts", _attached(row)
    for name in row.trigger_tokens.filter(revoked_at=None).values_list("name", flat=True):
        yield f"Trigger token {name}", "In use"


def _paused(row: Activation) -> str:
    if row.paused:
        return "By a user"
    pause = SystemPause.objects.filter(activation=row).first()
    return f"By the system: {pause.get_cause_display().lower()}" if pause else NOT_PAUSED


def _mapping(mapping: FieldMapping) -> str:
    kept, replaced = FieldMapping.WhenEmpty.KEEP, FieldMapping.Multi.REPLACE
    remarks = [
        SHORT.get(mapping.policy, ""),
        "" if mapping.when_empty == kept else "cleared if empty",
        "" if mapping.multi == replaced else mapping.get_multi_display().lower(),
        f"country {mapping.country}" if mapping.country else "",
        "rounded" if mapping.round_to_whole else "",
        "custom attribute" if mapping.custom_attribute else "",
    ]
    value = f"“{mapping.value}”" if isinstance(mapping.value, str) else str(mapping.value)
    return ", ".join(filter(None, [mapping.column or mapping.template or value, *remarks]))


def _schedule(schedule: Schedule) -> str:
    try:
        return definition.words(schedule)
    except Misconfigured:
        return str(schedule)


def _attached(row: Activation) -> str:
    setting = AttachContacts.objects.filter(activation=row).select_related("model").first()
    if setting is None:
        return ""
    found = listed([f"{name} from {column}" for name, column in setting.found_by.items()], 10)
    return f"{setting.model} by {setting.company_column}, at most {setting.at_most}, found by {found}"
