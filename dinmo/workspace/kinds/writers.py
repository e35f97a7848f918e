"""PURE. Activations of a workspace file that write attributes which different activations write as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activations.setup import writers
from activations.setup.writers import Mapped, Writer
from core.text.listing import listed
from destinations.registry import services

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dinmo.workspace import entities

MOST = 3
"""How many different activations are described for each."""


def lines(workspace: entities.Workspace, names: Iterable[str]) -> Iterator[str]:
    """What a person should know about these activations: those that others contradict start with an exclamation mark.

    Args:
        workspace: all entities, also those that are not in the file.
    """
    everyone = [_writer(workspace, activation) for activation in workspace.activations.values()]
    by_place: dict[tuple[str, str], list[Writer]] = {}
    for each in everyone:
        by_place.setdefault((each.service, each.workspace), []).append(each)
    wanted = set(names)
    for mine in everyone:
        if mine.name in wanted:
            others = [each for each in by_place[mine.service, mine.workspace] if each is not mine]
            yield from _lines(mine, others)


def _lines(mine: Writer, others: Iterable[Writer]) -> Iterator[str]:
    shared = writers.shared(services[mine.service], mine, others)
    for each in shared[:MOST]:
        yield f"{'!' if each.is_conflict else ' '} activation {mine.name}: {each}"
    if more := [each.other.name for each in shared[MOST:]]:
        yield f"  activation {mine.name}: shares attributes with {listed(more)} as well."


def _writer(workspace: entities.Workspace, activation: entities.Activation) -> Writer:
    destination = workspace.destinations[activation.destination]
    connection = workspace.connections[destination.connection]
    model = workspace.segments[activation.segment].model if activation.segment else activation.model
    return Writer(
        activation.name,
        destination.service,
        connection.workspace or f"#{connection.name}",
        tuple(_mapped(model, row, activation.mode) for row in activation.mappings),
        activation.is_draft,
    )


def _mapped(model: str, row: entities.FieldMapping, mode: str) -> Mapped:
    source = writers.source_of(model, row.column, row.template, row.value, row.rounds, row.country, row.when_empty)
    return Mapped(row.target, source, writers.policy_of(mode, row.policy), row.multi == "add")
