"""PURE. What conditions may speak of: the columns of a model, its relations, and the segments that it has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Link:
    """A relation as one of its two models sees it.

    Args:
        model: the name of the other model.
        own, other: the columns whose values are equal.
        through: the relation's own name, e.g. "Orders.company_id": tells two relations between the same models apart.
        many: whether the other model can have several rows for one of this model's.
    """

    model: str
    own: str
    other: str
    through: str
    many: bool = True


@dataclass(frozen=True)
class Definition:
    """A segment as it was saved: its conditions, and its size limit (empty for none)."""

    where: Mapping[str, Any]
    limit: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """All that the conditions of a model can name.

    Args:
        types: column name → its type, computed fields among them.
        segments: the saved segments of the model by name.
        world: the facts of every model of the source by name, this one among them.
        computed: the definitions of the computed fields by name, in their order.
    """

    types: Mapping[str, str]
    name: str = ""
    links: tuple[Link, ...] = ()
    segments: Mapping[str, Definition] = field(default_factory=dict)
    world: Mapping[str, Facts] = field(default_factory=dict, compare=False, repr=False)
    computed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def of(about: Mapping[str, str] | Facts) -> Facts:
    """Facts, also from nothing but the types of columns."""
    return about if isinstance(about, Facts) else Facts(about)
