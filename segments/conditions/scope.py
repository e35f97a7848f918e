"""PURE. The scope of conditions: the columns, relations and segments of a model that they can name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Link:
    """A relation, from the side of one of its two models.

    Args:
        model: the name of the other model.
        own, other: the columns whose values are equal.
        through: the name of the relation, e.g. "Orders.company_id". Distinguishes several relations between two models.
        many: whether the other model can have several rows for one row of this model.
    """

    model: str
    own: str
    other: str
    through: str
    many: bool = True


@dataclass(frozen=True)
class Definition:
    """A saved segment: its conditions, and its size limit (empty if it has none)."""

    where: Mapping[str, Any]
    limit: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelScope:
    """Everything that the conditions of a model can name.

    Args:
        types: column name → type, including computed fields.
        segments: the saved segments of the model, by name.
        models: the scope of every model of the source, by name, including this one.
        computed: the definitions of the computed fields, by name, in their order.
    """

    types: Mapping[str, str]
    name: str = ""
    links: tuple[Link, ...] = ()
    segments: Mapping[str, Definition] = field(default_factory=dict)
    models: Mapping[str, ModelScope] = field(default_factory=dict, compare=False, repr=False)
    computed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def as_scope(scope: Mapping[str, str] | ModelScope) -> ModelScope:
    """The scope itself, or one that consists only of columns if column types are given."""
    return scope if isinstance(scope, ModelScope) else ModelScope(scope)
