"""Notices every row of the configuration that is saved or deleted, wherever that happens.

Outside of a `recording` block, each row is compared for itself. Bulk statements send no signals: their callers name
what they change.
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
"""Attributes of a row, and of what a deletion began with, between the two signals of one statement."""


def connect() -> None:
    """Connects the signals of every table of the configuration, and of no other: each costs queries."""
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
        # Django announces everything that it is about to delete before it deletes anything.
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
    """Notes what objects are like, in the open block or, without one, on the row that is about to change."""
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
    """Compares what was noted on a row. An open block does so at its end."""
    for key, before in vars(carrier).pop(_STATES, {}).items():
        recorder.compare(key, before)
