"""PURE. What a file would do to the workspace: create, change, leave; and what would have to be sent anew."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, is_dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from dinmo.workspace import model as things


@dataclass(frozen=True)
class Step:
    """One thing to write: created where `changed` is None, else with the facts that change."""

    thing: things.Thing
    changed: tuple[str, ...] | None = None

    def __str__(self) -> str:
        if self.changed is None:
            return f"+ {self.thing.noun} {self.thing.name}"
        return f"~ {self.thing.noun} {self.thing.name}: {', '.join(self.changed)}"


@dataclass(frozen=True)
class Afresh:
    """An activation whose baseline would say nothing any more, because of `changed`."""

    activation: things.Activation
    changed: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"The activation {self.activation.name!r} has sent records already. With another {' and '.join(self.changed)} "
            "it forgets them and sends everything anew. Apply with --yes if that is meant."
        )


@dataclass(frozen=True)
class Plan:
    """All that a file would do."""

    steps: tuple[Step, ...]
    unchanged: int
    untouched: tuple[things.Thing, ...]
    afresh: tuple[Afresh, ...]
    retyped: Mapping[str, Sequence[str]]
    """Activation → what a person should see of attributes whose type is another one than when they were mapped."""

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
    wanted: things.Workspace,
    standing: things.Workspace,
    sent: Collection[str],
    retyped: Mapping[str, Sequence[str]] | None = None,
) -> Plan:
    """Compares what a file wants with what stands.

    Args:
        sent: the names of the activations that have sent something.
        retyped: activation → sentences about attributes whose type is another one now.
    """
    stands = {(thing.noun, thing.name): thing for thing in standing.things()}
    asked = {(thing.noun, thing.name): thing for thing in wanted.things()}
    steps = []
    for key, thing in asked.items():
        before = stands.get(key)
        changed = differences(before, thing) if before else None
        if changed is None or changed:
            steps.append(Step(thing, changed))
    untouched = tuple(thing for key, thing in stands.items() if key not in asked)
    afresh = tuple(_afresh(wanted.over(standing), standing, sent))
    return Plan(tuple(steps), len(asked) - len(steps), untouched, afresh, _of_file(wanted, retyped or {}))


def _of_file(wanted: things.Workspace, retyped: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    return {name: sentences for name, sentences in retyped.items() if name in wanted.activations}


def differences(before: things.Thing, after: things.Thing) -> tuple[str, ...]:
    """The names of the facts that differ."""
    old, new = before.facts(), after.facts()
    found = [name for name in dict.fromkeys([*new, *old]) if _canonical(old.get(name)) != _canonical(new.get(name))]
    # The order of the rows is worth a word only where they are the same rows.
    rows = any(name.startswith(("fields.", "custom_attributes.")) for name in found)
    return tuple(name for name in found if name != "fields" or not rows)


def _afresh(after: things.Workspace, before: things.Workspace, sent: Collection[str]) -> Iterator[Afresh]:
    for name, activation in before.activations.items():
        if name in sent:
            old, new = identity(activation, before), identity(after.activations[name], after)
            changed = tuple(part for part in new if new[part] != old[part])
            if changed:
                yield Afresh(after.activations[name], changed)


def identity(activation: things.Activation, workspace: things.Workspace) -> dict[str, str]:
    """What the baseline of an activation is about."""
    model = workspace.segments[activation.segment].model if activation.segment else activation.model
    destination = workspace.destinations[activation.destination]
    return {
        "model": model,
        "match.from": activation.match_column,
        "match.to": activation.match_field,
        "service": destination.service,
        "connection": destination.connection,
    }


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
