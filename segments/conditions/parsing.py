"""PURE. The tree of conditions that makes a segment: read, checked against what its model has, and written down again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from core.errors import Misconfigured
from segments.conditions import limits, scope, validation
from segments.conditions.operands import EMPTINESS, LENGTHS, LISTS, PAIRS, PLAIN, plain_value
from segments.conditions.sentences import say, sentence
from segments.conditions.tree import (
    EVERYTHING,
    HAS,
    LABELS,
    MEASURES,
    MEMBER,
    OPERATORS,
    Combine,
    Group,
    Item,
    Leaf,
    Member,
    Related,
    leaves,
    measured,
    segments_of,
    size,
)

if TYPE_CHECKING:
    from segments.conditions.scope import Facts

MAX_DEPTH = 10
MAX_CONDITIONS = 200
MAX_UNFOLDED = 2000
"""Conditions in all, with those of the segments that are asked about."""
MOST_ROWS = 10**9
_RELATED = ("related", "through", "where", "has", "count", *MEASURES, "is", "value")


def parse(where: Any, about: Mapping[str, str] | Facts | None = None, *, name: str = "") -> Group:
    """The tree of a segment: validated where it is told `about` what, else its columns and values are not looked at yet.

    Args:
        where: `{all: [...]}` or `{any: [...]}`, its items such groups, `{field, is, value}`, `{related, …}` or `{segment, is}`;
            empty means all rows. A single condition stands for itself.
        about, name: as for `validate`.

    Raises:
        Misconfigured: it is no such tree.
    """
    if where is None or where == {}:
        return EVERYTHING
    if isinstance(where, Mapping) and where.keys() & {"field", "related", "segment"}:
        where = {"all": [where]}
    tree = _group(where, depth=1)
    if size(tree) > MAX_CONDITIONS:
        raise _wrong("condition_too_many", f"A segment can hold at most {MAX_CONDITIONS} conditions.")
    return tree if about is None else validate(tree, about, name=name)


def validate(tree: Group, about: Mapping[str, str] | Facts, *, name: str = "") -> Group:
    """The tree with every value in its right type.

    Args:
        about: column name → its type, or all that conditions can name.
        name: of the segment itself, which it must not come back to.

    Raises:
        Misconfigured: an unknown column, an operator that its type does not have, a value that does not fit, an unknown
            relation or segment, or segments that ask about one another in a circle.
    """
    return _Judge().group(tree, scope.of(about), (name,) if name else ())


def plain(tree: Group) -> dict[str, Any]:
    """The tree as JSON and the workspace file hold it; `parse` reads it back."""
    return {tree.combine: [_plain(item) for item in tree.items]} if tree.items else {}


def rows(tree: Group) -> tuple[Combine, list[dict[str, Any]]] | None:
    """The tree as rows of a simple editor; None where it is nested deeper than that."""
    if any(isinstance(item, Group) for item in tree.items):
        return None
    return tree.combine, [_plain(item) for item in tree.items]


def from_rows(combine: str, edited: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The tree of a simple editor's rows, for `parse`."""
    return {combine: [dict(row) for row in edited]} if edited else {}


def _group(where: Any, depth: int) -> Group:
    if not isinstance(where, Mapping) or len(where) != 1 or next(iter(where)) not in ("all", "any"):
        raise _wrong("condition_group", "A group of conditions is {all: [...]} or {any: [...]}, and nothing beside it.")
    if depth > MAX_DEPTH:
        raise _wrong("condition_depth", f"Conditions can be nested at most {MAX_DEPTH} groups deep.")
    combine, items = next(iter(where.items()))
    if not isinstance(items, list | tuple):
        raise _wrong("condition_group", f"{combine!r} takes a list of conditions.")
    if not items and depth > 1:
        raise _wrong("condition_group", "A group inside another needs at least one condition.")
    return Group(cast("Combine", combine), tuple(_item(item, depth) for item in items))


def _item(item: Any, depth: int) -> Item:
    if not isinstance(item, Mapping):
        raise _wrong("condition_invalid", "A condition is {field, is, value}, or a group of them.")
    if "related" in item:
        return _related(item, depth)
    if "segment" in item:
        return _member(item)
    return _leaf(item) if "field" in item else _group(item, depth + 1)


def _leaf(item: Mapping[str, Any]) -> Leaf:
    field, operator = item["field"], _operator(item)
    _refuse_other(item, ("field", "is", "value"), str(field))
    if not isinstance(field, str):
        raise _wrong("condition_invalid", "The field of a condition is the name of a column.", str(field))
    if operator not in LABELS:
        said = (
            f"There is no operator {operator!r}."
            if operator
            else f"The condition on {field!r} says nothing under 'is'."
        )
        raise _wrong("operator_unknown", f"{said} Choose one of: {', '.join(LABELS)}.", field)
    return Leaf(field, operator, item.get("value"))


def _member(item: Mapping[str, Any]) -> Member:
    name, operator = item["segment"], _operator(item)
    _refuse_other(item, ("segment", "is"), str(name))
    if not isinstance(name, str) or not name:
        raise _wrong("condition_invalid", "`segment` takes the name of another segment of the same model.")
    if operator not in MEMBER:
        raise _wrong("operator_unknown", f"A condition on a segment takes is: {' or '.join(MEMBER)}.", name)
    return Member(name, operator)


def _related(item: Mapping[str, Any], depth: int) -> Related:
    model = item["related"]
    _refuse_other(item, _RELATED, str(model))
    if not isinstance(model, str) or not model or not isinstance(item.get("through", ""), str):
        raise _wrong(
            "condition_invalid", "`related` takes the name of another model, and `through` that of a relation."
        )
    asked = [key for key in ("has", *MEASURES) if key in item]
    if len(asked) != 1:
        raise _wrong("condition_invalid", f"A condition on {model!r} takes one of: has, {', '.join(MEASURES)}.", model)
    where = EVERYTHING if item.get("where") in (None, {}) else _group(item["where"], depth + 1)
    through = item.get("through", "")
    return (
        _counted(item, model, through, where) if asked == ["has"] else _measured(item, asked[0], model, through, where)
    )


def _counted(item: Mapping[str, Any], model: str, through: str, where: Group) -> Related:
    operator, count = _operator(item, "has"), item.get("count")
    _refuse_other(item, ("related", "through", "where", "has", "count"), model)
    if operator not in HAS:
        raise _wrong("operator_unknown", f"`has` takes one of: {', '.join(HAS)}.", model)
    if operator == "none":
        if count is not None:
            raise _wrong("condition_value", "`has: none` takes no count.", model)
        return Related(model, "none", None, where, through=through)
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= MOST_ROWS:
        raise _wrong(
            "condition_value", f"The condition on {model!r} needs a `count`: a whole number, 0 or more.", model
        )
    return Related(model, operator, count, where, through=through)


def _measured(item: Mapping[str, Any], measure: str, model: str, through: str, where: Group) -> Related:
    column, operator = item[measure], _operator(item)
    _refuse_other(item, ("related", "through", "where", measure, "is", "value"), model)
    if not isinstance(column, str):
        raise _wrong("condition_invalid", f"`{measure}` takes a column of {model!r}.", model)
    if operator not in LABELS:
        raise _wrong(
            "operator_unknown", f"The {measure} of {column!r} needs an operator under 'is', e.g. at_least.", model
        )
    return Related(model, operator, item.get("value"), where, measure, column, through)


def _operator(item: Mapping[str, Any], key: str = "is") -> str:
    operator = item.get(key)
    return operator if isinstance(operator, str) else ""


def _refuse_other(item: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for key in item:
        if key not in known:
            raise _wrong("condition_invalid", f"A condition has no {key!r} here. It takes {', '.join(known)}.", where)


class _Judge:
    """Validates a tree with all that it unfolds into, which must not grow without end."""

    def __init__(self) -> None:
        self.left = MAX_UNFOLDED

    def group(self, tree: Group, about: Facts, path: tuple[str, ...]) -> Group:
        return Group(tree.combine, tuple(self.item(item, about, path) for item in tree.items))

    def item(self, item: Item, about: Facts, path: tuple[str, ...]) -> Item:
        self.left -= 1
        if self.left < 0:
            raise _wrong(
                "condition_too_many",
                f"With the segments that it asks about, this is more than {MAX_UNFOLDED} conditions.",
            )
        if isinstance(item, Group):
            return self.group(item, about, path)
        if isinstance(item, Member):
            return self.member(item, about, path)
        return self.related(item, about, path) if isinstance(item, Related) else validation.leaf(item, about.types)

    def member(self, item: Member, about: Facts, path: tuple[str, ...]) -> Member:
        if item.segment in path:
            circle = " → ".join((*path[path.index(item.segment) :], item.segment))
            raise _wrong("segment_cycle", f"Segments can't ask about one another in a circle: {circle}.", item.segment)
        found = about.segments.get(item.segment)
        if found is None:
            known = ", ".join(name for name in about.segments if name not in path) or "no other"
            raise _wrong(
                "segment_unknown", f"The model has no segment called {item.segment!r}. It has: {known}.", item.segment
            )
        tree = self.group(parse(found.where), about, (*path, item.segment))
        return Member(item.segment, item.operator, about.name, tree, limits.parse(found.limit, about.types))

    def related(self, item: Related, about: Facts, path: tuple[str, ...]) -> Related:
        link = validation.link(item, about)
        other = about.world[item.model]
        # A segment of a related model is another thing, but the circle may close through it all the same.
        where = self.group(item.where, other, path)
        value = item.value if item.measure == "count" else validation.measure_value(item, other.types)
        return Related(item.model, item.operator, value, where, item.measure, item.column, item.through, link)


def _plain(item: Item) -> dict[str, Any]:
    if isinstance(item, Group):
        return plain(item)
    if isinstance(item, Member):
        return {"segment": item.segment, "is": item.operator}
    if isinstance(item, Leaf):
        return {"field": item.field, **_compared(item)}
    said: dict[str, Any] = {"related": item.model, **({"through": item.through} if item.through else {})}
    if item.measure == "count":
        said |= {"has": item.operator, **({} if item.value is None else {"count": item.value})}
    else:
        said |= {item.measure: item.column, **_compared(item)}
    return {**said, **({"where": plain(item.where)} if item.where.items else {})}


def _compared(item: Leaf | Related) -> dict[str, Any]:
    return {"is": item.operator, **({} if item.operator in PLAIN else {"value": plain_value(item.value)})}


def _wrong(code: str, message: str, where: str = "") -> Misconfigured:
    return Misconfigured(code, message, where=where)


__all__ = [
    "EMPTINESS", "EVERYTHING", "HAS", "LABELS", "LENGTHS", "LISTS", "MEASURES", "MEMBER", "OPERATORS", "PAIRS", "PLAIN", "Combine", "Group",
    "Item", "Leaf", "Member", "Related", "from_rows", "leaves", "measured", "parse", "plain", "rows", "say", "segments_of", "sentence",
    "validate",
]  # fmt: skip
