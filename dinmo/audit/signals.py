"""Detects every configuration row that is saved or deleted, anywhere in the application.

Outside of a `recording` block, each row is compared separately. Bulk statements send no signals, so their callers pass
the affected rows to `recording`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Group, User
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete, pre_save

from dinmo.audit import recorder
from dinmo.audit.states.describe import DESCRIBED, PARTS, UNNOTED, describe, key_of

if TYPE_CHECKING:
    from django.db.models import Model

    from dinmo.audit.states.describe import Key
    from dinmo.audit.wording import Description

_STATES, _GONE = "_audit_states", "_audit_gone"
"""Attributes set between the two signals of one statement, on the row and on the origin of a deletion."""


def connect() -> None:
    """Connects the signals of configuration tables. Other tables are left out, because each signal costs queries."""
    for model in {*DESCRIBED, *PARTS}:
        pre_save.connect(_before_save, model, dispatch_uid="audit")
        post_save.connect(_after_save, model, dispatch_uid="audit")
        pre_delete.connect(_before_delete, model, dispatch_uid="audit")
        post_delete.connect(_after_delete, model, dispatch_uid="audit")
    for through in (User.groups.through, User.user_permissions.through, Group.permissions.through):
        m2m_changed.connect(_links_changed, through, dispatch_uid="audit")


def _is_unnoted(row: Model, update_fields: Any) -> bool:
    return update_fields is not None and set(update_fields) <= UNNOTED.get(type(row), frozenset())


def _before_save(instance: Any, raw: bool, update_fields: Any, **_: object) -> None:
    if not raw and not _is_unnoted(instance, update_fields):
        _note(instance, [instance])


def _after_save(instance: Any, created: bool, raw: bool, update_fields: Any, **_: object) -> None:
    if raw or _is_unnoted(instance, update_fields):
        return
    key = key_of(instance)
    if created and key and type(instance) in DESCRIBED:
        _note_new(instance, key)
    _compare(instance)


def _before_delete(instance: Any, origin: Any, **_: object) -> None:
    _note(instance, [instance])
    if type(instance) in DESCRIBED:
        # Django sends pre_delete for all objects of a deletion before it deletes any of them.
        vars(origin).setdefault(_GONE, set()).add(key_of(instance))


def _after_delete(instance: Any, origin: Any, **_: object) -> None:
    if type(instance) in PARTS and key_of(instance) in vars(origin).get(_GONE, ()):
        vars(instance).pop(_STATES, None)
        return
    _compare(instance)


def _links_changed(instance: Any, action: str, reverse: bool, pk_set: Any, model: Any, **_: object) -> None:
    rows = list(model._base_manager.filter(pk__in=pk_set or ())) if reverse else [instance]
    owners = [row for row in rows if type(row) in DESCRIBED]
    if action.startswith("pre_"):
        _note(instance, owners)
    elif action.startswith("post_"):
        _compare(instance)


def _note(carrier: Any, rows: list[Any]) -> None:
    """Stores the state of objects before a change: in the open block, or without one on the row about to change."""
    if recorder.is_recording():
        recorder.note(*rows)
        return
    states: dict[Key, Description | None] = {}
    for key in {key for row in rows if (key := key_of(row))}:
        states[key] = describe(key)
    vars(carrier)[_STATES] = states


def _note_new(carrier: Any, key: Key) -> None:
    if recorder.is_recording():
        recorder.note_new(key)
    else:
        vars(carrier).setdefault(_STATES, {}).setdefault(key, None)


def _compare(carrier: Any) -> None:
    """Compares the states stored on a row. An open block compares its own when it ends."""
    for key, before in vars(carrier).pop(_STATES, {}).items():
        recorder.compare(key, before)
