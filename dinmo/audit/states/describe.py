"""Describes objects of the configuration, to compare them before and after a change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Group, User

from activations.models import (
    Activation,
    AlertChannel,
    AttachContacts,
    FieldMapping,
    Schedule,
    SystemPause,
    TriggerToken,
)
from destinations.models import Connection, Destination
from dinmo.audit.states import activation, data, people, vendors
from dinmo.audit.wording import Description
from segments.models import Column, ComputedField, DataModel, Relation, Segment, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from django.db.models import Model

DESCRIBED: Mapping[type[Model], Callable[[Any], Iterator[tuple[str, Any]]]] = {
    Source: data.source,
    DataModel: data.model,
    Segment: data.segment,
    Connection: vendors.connection,
    Destination: vendors.destination,
    Activation: activation.activation,
    AlertChannel: vendors.channel,
    User: people.user,
    Group: people.group,
}
"""The tables of the configuration, with the function that describes their rows."""
PARTS: Mapping[type[Model], tuple[type[Model], str]] = {
    Column: (DataModel, "model_id"),
    ComputedField: (DataModel, "model_id"),
    Relation: (DataModel, "from_model_id"),
    FieldMapping: (Activation, "activation_id"),
    Schedule: (Activation, "activation_id"),
    AttachContacts: (Activation, "activation_id"),
    SystemPause: (Activation, "activation_id"),
    TriggerToken: (Activation, "activation_id"),
}
"""Tables whose rows are parts of an object, with the table of that object and the column that refers to it."""
UNNOTED: Mapping[type[Model], frozenset[str]] = {
    Source: frozenset({"health", "health_message", "health_at"}),
    Connection: frozenset(
        {"health", "health_message", "health_at", "workspace_id", "workspace_name", "workspace_facts"}
    ),
    AlertChannel: frozenset({"health", "health_message", "health_at"}),
    DataModel: frozenset({"row_count", "key_warning", "problems", "checked_at"}),
    Schedule: frozenset({"anchored_at", "settled_until", "signal", "signal_at", "signal_problem", "task"}),
    SystemPause: frozenset({"checks", "next_check_at", "trials"}),
    TriggerToken: frozenset({"last_used_at"}),
    User: frozenset({"last_login"}),
}
"""Columns that the system writes often, and that descriptions leave out."""

Key = tuple[type["Model"], int]
"""An object of the configuration: its table (a key of `DESCRIBED`) and its ID."""


def describe(key: Key, *, lock: bool = False) -> Description | None:
    """The current state of an object in the database; None if it doesn't exist.

    Args:
        lock: locks the row until the transaction ends, so that any difference by then was made by this transaction.
            Runs can still refer to it.
    """
    model, pk = key
    rows = model._base_manager.filter(pk=pk)
    rows = rows.select_for_update(no_key=True) if lock else rows
    row: Any = (rows.defer("secrets") if hasattr(model, "secrets") else rows).first()
    return Description(str(row), dict(DESCRIBED[model](row))) if row else None


def key_of(row: Model) -> Key | None:
    """The object that a row is, or is a part of; None if it is unsaved or not part of the configuration."""
    model = type(row)
    if model in PARTS:
        owner, column = PARTS[model]
        return (owner, getattr(row, column)) if getattr(row, column) else None
    return (model, row.pk) if model in DESCRIBED and row.pk else None
