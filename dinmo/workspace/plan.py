"""PURE. What a file does to the workspace: what it creates, changes and leaves alone, and which resets it needs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, is_dataclass
from typing import TYPE_CHECKING, Any

from activations.setup.identity import needs_reset, reset_sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from activations.setup.identity import Identity
    from dinmo.workspace import entities
    from dinmo.workspace.entity import Entity


@dataclass(frozen=True)
class Step:
    """One entity to write: created if `changed` is None, else with the names of what changes."""

    entity: Entity
    changed: tuple[str, ...] | None = None

    def __str__(self) -> str:
        if self.changed is None:
            return f"+ {self.entity.noun} {self.entity.name}"
        return f"~ {self.entity.noun} {self.entity.name}: {', '.join(self.changed)}"


@dataclass(frozen=True)
class Reset:
    """An activation whose sync history no longer applies, because `changes` identify its records."""

    activation: entities.Activation
    changes: tuple[str, ...]

    def __str__(self) -> str:
        return f"Activation “{self.activation.name}”: {reset_sentence(self.changes)} Apply with --yes to agree."


@dataclass(frozen=True)
class Plan:
    """Everything that a file does to the workspace."""

    steps: tuple[Step, ...]
    unchanged: int
    untouched: tuple[Entity, ...]
    resets: tuple[Reset, ...]
    restored: tuple[str, ...]
    """Activations that return to what identifies the records of their sync history, so that no reset is needed."""
    retyped: Mapping[str, Sequence[str]]
    """Activation → what a person should know about attributes whose type changed since they were mapped."""
    after: entities.Workspace
    """The whole workspace once the file has been applied."""

    def activations(self) -> set[str]:
        """The activations that are in the file."""
        return set(self.after.activations) - {each.name for each in self.untouched if each.noun == "activation"}

    def lines(self) -> Iterator[str]:
        """The plan in words, one line for each entity that is created or changed."""
        yield from map(str, self.steps)
        if self.unchanged:
            yield f"= {self.unchanged} unchanged"
        if self.untouched:
            names = ", ".join(f"{entity.noun} {entity.name}" for entity in self.untouched)
            yield f"Not in the file, left unchanged: {names}"
        if not self.steps:
            yield "Nothing changed."


def make(
    wanted: entities.Workspace,
    existing: entities.Workspace,
    accepted: Mapping[str, Identity],
    retyped: Mapping[str, Sequence[str]] | None = None,
    workspace_of: Callable[[entities.Connection], str] = lambda connection: connection.workspace,
) -> Plan:
    """Compares a file with the database.

    Args:
        accepted: activation → what the records of its sync history belong to, for those that have one.
        retyped: activation → sentences about attributes whose type changed.
        workspace_of: requests the workspace that a connection opens, "" if it is unknown; called only if it matters.
    """
    before_by_key = {(entity.noun, entity.name): entity for entity in existing.entities()}
    after_by_key = {(entity.noun, entity.name): entity for entity in wanted.entities()}
    steps = []
    for key, entity in after_by_key.items():
        before = before_by_key.get(key)
        changed = differences(before, entity) if before else None
        if changed is None or changed:
            steps.append(Step(entity, changed))
    untouched = tuple(entity for key, entity in before_by_key.items() if key not in after_by_key)
    after = wanted.applied_to(existing)
    resets, restored = _resets(after, existing, accepted, workspace_of)
    unchanged = len(after_by_key) - len(steps)
    return Plan(tuple(steps), unchanged, untouched, resets, restored, _of_file(wanted, retyped or {}), after)


def _of_file(wanted: entities.Workspace, retyped: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    return {name: sentences for name, sentences in retyped.items() if name in wanted.activations}


def differences(before: Entity, after: Entity) -> tuple[str, ...]:
    """The names of the details that differ."""
    old, new = before.details(), after.details()
    names = [name for name in dict.fromkeys([*new, *old]) if _canonical(old.get(name)) != _canonical(new.get(name))]
    # A changed order of the rows is reported only if the rows themselves are the same.
    rows = any(name.startswith(("fields.", "custom_attributes.")) for name in names)
    return tuple(name for name in names if name != "fields" or not rows)


def _resets(
    after: entities.Workspace,
    before: entities.Workspace,
    accepted: Mapping[str, Identity],
    workspace_of: Callable[[entities.Connection], str],
) -> tuple[tuple[Reset, ...], tuple[str, ...]]:
    resets: list[Reset] = []
    restored: list[str] = []
    for name, activation in before.activations.items():
        if name not in accepted:
            continue
        old, spec = before.spec(activation).identity(), after.spec(after.activations[name])
        connection = after.connections[after.destinations[after.activations[name].destination].connection]
        new = spec.identity(workspace_of(connection) if _moved(connection, activation, before) else None)
        if changes := needs_reset(accepted[name], old, new):
            resets.append(Reset(after.activations[name], changes))
        elif new.changes(old):
            restored.append(name)
    return tuple(resets), tuple(restored)


def _moved(connection: entities.Connection, activation: entities.Activation, before: entities.Workspace) -> bool:
    """Whether the activation will use a different connection, or different credentials, than before."""
    return connection != before.connections[before.destinations[activation.destination].connection]


def _canonical(value: Any) -> str:
    return json.dumps(_comparable(value), sort_keys=True)


def _comparable(value: Any) -> Any:
    """The value as JSON compares it: 1 and true differ, and 1.0 equals 1, because some databases store it that way."""
    if is_dataclass(value) and not isinstance(value, type):
        return _comparable(asdict(value))
    if isinstance(value, dict):
        return {str(key): _comparable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_comparable(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
