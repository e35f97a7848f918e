"""PURE. What a file would do to the workspace: create, change, leave alone, and which sync histories it resets."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, is_dataclass
from typing import TYPE_CHECKING, Any

from activations.setup.identity import needs_reset, reset_sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from activations.setup.identity import Identity
    from dinmo.workspace import entities


@dataclass(frozen=True)
class Step:
    """One entity to write: created if `changed` is None, else with the facts that change."""

    thing: entities.Entity
    changed: tuple[str, ...] | None = None

    def __str__(self) -> str:
        if self.changed is None:
            return f"+ {self.thing.noun} {self.thing.name}"
        return f"~ {self.thing.noun} {self.thing.name}: {', '.join(self.changed)}"


@dataclass(frozen=True)
class Reset:
    """An activation whose sync history no longer applies, because `changes` identify its records."""

    activation: entities.Activation
    changes: tuple[str, ...]

    def __str__(self) -> str:
        return f"Activation {self.activation.name!r}: {reset_sentence(self.changes)} Apply with --yes to agree."


@dataclass(frozen=True)
class Plan:
    """All that a file would do."""

    steps: tuple[Step, ...]
    unchanged: int
    untouched: tuple[entities.Entity, ...]
    resets: tuple[Reset, ...]
    restored: tuple[str, ...]
    """Activations that go back to what identified the records of their sync history: no reset is needed any longer."""
    retyped: Mapping[str, Sequence[str]]
    """Activation → what a person should know about attributes whose type changed since they were mapped."""

    def lines(self) -> Iterator[str]:
        """The plan in words, a line for each thing."""
        yield from map(str, self.steps)
        if self.unchanged:
            yield f"= {self.unchanged} unchanged"
        if self.untouched:
            names = ", ".join(f"{thing.noun} {thing.name}" for thing in self.untouched)
            yield f"Not in the file and left as they are: {names}"
        if not self.steps:
            yield "Nothing changed."


def make(
    wanted: entities.Workspace,
    standing: entities.Workspace,
    accepted: Mapping[str, Identity],
    retyped: Mapping[str, Sequence[str]] | None = None,
    workspace_of: Callable[[entities.Connection], str] = lambda connection: connection.workspace,
) -> Plan:
    """Compares a file with the database.

    Args:
        accepted: activation → what the records of its sync history belong to, for those that have one.
        retyped: activation → sentences about attributes whose type changed.
        workspace_of: finds out which workspace a connection opens, "" if that is unknown; called only if it matters.
    """
    stands = {(thing.noun, thing.name): thing for thing in standing.entities()}
    asked = {(thing.noun, thing.name): thing for thing in wanted.entities()}
    steps = []
    for key, thing in asked.items():
        before = stands.get(key)
        changed = differences(before, thing) if before else None
        if changed is None or changed:
            steps.append(Step(thing, changed))
    untouched = tuple(thing for key, thing in stands.items() if key not in asked)
    resets, restored = _resets(wanted.over(standing), standing, accepted, workspace_of)
    return Plan(tuple(steps), len(asked) - len(steps), untouched, resets, restored, _of_file(wanted, retyped or {}))


def _of_file(wanted: entities.Workspace, retyped: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    return {name: sentences for name, sentences in retyped.items() if name in wanted.activations}


def differences(before: entities.Entity, after: entities.Entity) -> tuple[str, ...]:
    """The names of the facts that differ."""
    old, new = before.facts(), after.facts()
    found = [name for name in dict.fromkeys([*new, *old]) if _canonical(old.get(name)) != _canonical(new.get(name))]
    # The order of the rows is worth a word only where they are the same rows.
    rows = any(name.startswith(("fields.", "custom_attributes.")) for name in found)
    return tuple(name for name in found if name != "fields" or not rows)


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
    """Whether the activation leaves by a different connection, or with different credentials, than before."""
    return connection != before.connections[before.destinations[activation.destination].connection]


def _canonical(value: Any) -> str:
    return json.dumps(_comparable(value), sort_keys=True)


def _comparable(value: Any) -> Any:
    """As JSON tells values apart: 1 and true differ, and 1.0 is 1, since some databases store it so."""
    if is_dataclass(value) and not isinstance(value, type):
        return _comparable(asdict(value))
    if isinstance(value, dict):
        return {str(key): _comparable(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_comparable(held) for held in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
