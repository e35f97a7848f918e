"""PURE. Which attributes several activations write to the records of one workspace, and whose value stays."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.text.listing import listed
from destinations.contract import Mode

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from destinations.contract import Service

CONFLICT = (
    "If both send the same record, the last run wins. Each writes its value again when it changes in the source, and "
    "in every full sync."
)
SAME = "Both write the same value for the same row."
ADDED = "Both add to the list, and neither removes what the other added."
NEITHER = "Neither replaces a value that the other has written."
HOLDS_BACK = {"if_empty": "only if it is empty", "on_create": "only when it creates the record"}
"""The write policies that leave the value of a different activation as it is."""


@dataclass(frozen=True)
class Mapped:
    """An attribute that an activation maps.

    Args:
        source: what fills it, from `source_of`. The values of equal ones are equal for the same row.
        policy: a value of `FieldMapping.Policy`.
        adds: whether values are added to a list.
    """

    target: str
    source: tuple[Any, ...]
    policy: str = "always"
    adds: bool = False


@dataclass(frozen=True)
class Writer:
    """An activation, and the attributes that it writes to the records of a vendor's workspace.

    Args:
        service: the slug of the service.
        workspace: identifies the workspace, whichever of its connections is used.
        pk: its ID in the database; None if it is read from a file.
    """

    name: str
    service: str
    workspace: str
    mapped: tuple[Mapped, ...] = ()
    is_draft: bool = False
    pk: int | None = None


@dataclass(frozen=True)
class Shared:
    """Attributes of an activation that a different one writes as well.

    Args:
        attributes: as the other activation names them: it may map a part, or the whole that a part belongs to.
        effect: whose value stays, in a sentence.
    """

    other: Writer
    attributes: tuple[str, ...]
    effect: str

    @property
    def is_conflict(self) -> bool:
        """Whether the two replace each other's values. A draft writes nothing yet."""
        return self.effect == CONFLICT and not self.other.is_draft

    def words(self, labels: Mapping[str, str] | None = None) -> str:
        """What the other activation writes, and whose value stays; to be read after its name."""
        named = [f"“{(labels or {}).get(name) or name}”" for name in self.attributes]
        return f"{'(a draft) ' if self.other.is_draft else ''}also writes {listed(named, most=5)}. {self.effect}"

    def __str__(self) -> str:
        return f"“{self.other.name}” {self.words()}"


def source_of(model: int | str | None, column: str, template: str, value: Any, *options: Any) -> tuple[Any, ...]:
    """What fills an attribute, to be compared.

    Args:
        model: the ID or the name of the model that the column belongs to.
        options: how values are converted.
    """
    if column or template:
        return (model, column, template, *options)
    # In a form, a number is text.
    return (value if isinstance(value, str) else json.dumps(value), *options)


def policy_of(mode: str, policy: str) -> str:
    """The write policy that a mapping has in a mode: insert mode writes nothing to records that exist."""
    return "on_create" if mode == Mode.INSERT else policy


def shared_by_attribute(service: Service, mine: Writer, others: Iterable[Writer]) -> dict[str, list[Shared]]:
    """The attributes that different activations write as well, each with these activations.

    Args:
        others: activations of the same service and workspace.
    """
    found: dict[str, list[Shared]] = defaultdict(list)
    own = {each.target: each for each in mine.mapped}
    others = list(others)
    partners = alike(service, own, {each.target for other in others for each in other.mapped})
    for other in others:
        for theirs in other.mapped:
            for name in partners.get(theirs.target, ()):
                found[name].append(Shared(other, (theirs.target,), _effect(own[name], theirs, other.name)))
    return {name: _merged(each) for name, each in found.items()}


def shared(service: Service, mine: Writer, others: Iterable[Writer]) -> list[Shared]:
    """What different activations write as well, one for each activation and effect."""
    found = shared_by_attribute(service, mine, others)
    return _merged(each for group in found.values() for each in group)


def alike(service: Service, mine: Collection[str], theirs: Collection[str]) -> dict[str, set[str]]:
    """Attribute of theirs → those of mine that hold the same value: itself, the whole that it is a part of, its parts.

    Two attributes that can't be mapped together in one activation hold the same value.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for name in set(mine) & set(theirs):
        found[name].add(name)
    for whole, _ in service.contradictions({*mine, *theirs}):
        if whole in mine:
            for name in _contradicting(service, whole, theirs):
                found[name].add(whole)
        if whole in theirs:
            found[whole] |= set(_contradicting(service, whole, mine))
    return found


def _merged(shared: Iterable[Shared]) -> list[Shared]:
    """One for each activation and effect, conflicts first."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    others = {}
    for each in shared:
        groups[each.other.name, each.effect] += each.attributes
        others[each.other.name] = each.other
    merged = [Shared(others[name], tuple(dict.fromkeys(names)), effect) for (name, effect), names in groups.items()]
    return sorted(merged, key=lambda each: (not each.is_conflict, each.other.is_draft, each.other.name))


def _contradicting(service: Service, name: str, others: Iterable[str]) -> Iterator[str]:
    return (other for other in others if other != name and any(service.contradictions({name, other})))


def _effect(mine: Mapped, theirs: Mapped, other: str) -> str:
    """Whose value stays if both send the same record."""
    held, held_there = HOLDS_BACK.get(mine.policy), HOLDS_BACK.get(theirs.policy)
    if held and held_there:
        return NEITHER
    if held:
        return f"This activation writes {held}, so it never replaces a value of “{other}”."
    if held_there:
        return f"“{other}” writes {held_there}, so it never replaces a value of this activation."
    if mine.adds and theirs.adds:
        return ADDED
    same = (mine.target, mine.source, mine.adds) == (theirs.target, theirs.source, theirs.adds)
    return SAME if same else CONFLICT
