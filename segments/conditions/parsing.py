"""PURE. Parses the condition tree of a segment, validates it against the scope of its model, and serializes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from core.errors import Misconfigured
from segments.conditions import limits, validation
from segments.conditions.operands import EMPTINESS, LENGTHS, LISTS, PAIRS, PLAIN
from segments.conditions.scope import as_scope
from segments.conditions.sentences import in_words, sentence
from segments.conditions.serialization import plain_item
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
    measure_operators,
    segments_of,
    size,
)

if TYPE_CHECKING:
    from segments.conditions.scope import ModelScope

MAX_DEPTH = 10
MAX_CONDITIONS = 200
MAX_EXPANDED = 2000
"""Conditions in total, including those of the segments that a tree refers to."""
MAX_ROWS = 10**9
_RELATED = ("related", "through", "where", "has", "count", *MEASURES, "is", "value")


def parse(where: Any, scope: Mapping[str, str] | ModelScope | None = None, *, name: str = "") -> Group:
    """The condition tree of a segment. Without a `scope`, only its form is checked, not its columns and values.

    Args:
        where: `{all: [...]}` or `{any: [...]}`, whose items are such groups, `{field, is, value}`, `{related, …}` or
            `{segment, is}`. Empty means all rows. A single condition is accepted without a group.
        scope, name: as for `validate`.

    Raises:
        Misconfigured: not a valid condition tree.
    """
    if where is None or where == {}:
        return EVERYTHING
    if isinstance(where, Mapping) and where.keys() & {"field", "related", "segment"}:
        where = {"all": [where]}
    tree = _group(where, depth=1)
    if size(tree) > MAX_CONDITIONS:
        raise _invalid("condition_too_many", f"A segment can have at most {MAX_CONDITIONS} conditions.")
    return tree if scope is None else validate(tree, scope, name=name)


def validate(tree: Group, scope: Mapping[str, str] | ModelScope, *, name: str = "") -> Group:
    """The tree with every value converted to the type that its condition needs.

    Args:
        scope: column name → type, or everything that the conditions can name.
        name: the name of the segment itself, to detect a reference back to it.

    Raises:
        Misconfigured: an unknown column, relation or segment, an operator that the column type does not have, a value
            that does not fit, or segments that refer to each other in a circle.
    """
    return _Validator().group(tree, as_scope(scope), (name,) if name else ())


def rows(tree: Group) -> tuple[Combine, list[dict[str, Any]]] | None:
    """The tree as rows of a simple editor; None if it contains groups."""
    if any(isinstance(item, Group) for item in tree.items):
        return None
    return tree.combine, [plain_item(item) for item in tree.items]


def from_rows(combine: str, edited: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A tree built from the rows of a simple editor, for `parse`."""
    return {combine: [dict(row) for row in edited]} if edited else {}


def _group(where: Any, depth: int) -> Group:
    if not isinstance(where, Mapping) or len(where) != 1 or next(iter(where)) not in ("all", "any"):
        message = "A group of conditions must be {all: [...]} or {any: [...]}, with no other keys."
        raise _invalid("condition_group", message)
    if depth > MAX_DEPTH:
        raise _invalid("condition_depth", f"Conditions can be nested at most {MAX_DEPTH} groups deep.")
    combine, items = next(iter(where.items()))
    if not isinstance(items, list | tuple):
        raise _invalid("condition_group", f"“{combine}” takes a list of conditions.")
    if not items and depth > 1:
        raise _invalid("condition_group", "A nested group needs at least one condition.")
    return Group(cast("Combine", combine), tuple(_item(item, depth) for item in items))


def _item(item: Any, depth: int) -> Item:
    if not isinstance(item, Mapping):
        raise _invalid("condition_invalid", "A condition must be {field, is, value} or a group of conditions.")
    if "related" in item:
        return _related(item, depth)
    if "segment" in item:
        return _member(item)
    return _leaf(item) if "field" in item else _group(item, depth + 1)


def _leaf(item: Mapping[str, Any]) -> Leaf:
    field, operator = item["field"], _operator(item)
    _refuse_unknown_keys(item, ("field", "is", "value"), str(field))
    if not isinstance(field, str):
        raise _invalid("condition_invalid", "The `field` of a condition must be the name of a column.", str(field))
    if operator not in LABELS:
        missing = f"The condition on “{field}” has no operator under `is`."
        problem = f"There is no operator “{operator}”." if operator else missing
        raise _invalid("operator_unknown", f"{problem} Choose one of: {', '.join(LABELS)}.", field)
    return Leaf(field, operator, item.get("value"))


def _member(item: Mapping[str, Any]) -> Member:
    name, operator = item["segment"], _operator(item)
    _refuse_unknown_keys(item, ("segment", "is"), str(name))
    if not isinstance(name, str) or not name:
        raise _invalid("condition_invalid", "`segment` must be the name of another segment of the same model.")
    if operator not in MEMBER:
        raise _invalid("operator_unknown", f"In a condition on a segment, `is` must be {' or '.join(MEMBER)}.", name)
    return Member(name, operator)


def _related(item: Mapping[str, Any], depth: int) -> Related:
    model = item["related"]
    _refuse_unknown_keys(item, _RELATED, str(model))
    if not isinstance(model, str) or not model or not isinstance(item.get("through", ""), str):
        message = "`related` must be the name of another model, and `through` the name of a relation."
        raise _invalid("condition_invalid", message)
    measures = [key for key in ("has", *MEASURES) if key in item]
    if len(measures) != 1:
        message = f"A condition on “{model}” needs exactly one of: has, {', '.join(MEASURES)}."
        raise _invalid("condition_invalid", message, model)
    where = EVERYTHING if item.get("where") in (None, {}) else _group(item["where"], depth + 1)
    through = item.get("through", "")
    if measures == ["has"]:
        return _counted(item, model, through, where)
    return _measured(item, measures[0], model, through, where)


def _counted(item: Mapping[str, Any], model: str, through: str, where: Group) -> Related:
    operator, count = _operator(item, "has"), item.get("count")
    _refuse_unknown_keys(item, ("related", "through", "where", "has", "count"), model)
    if operator not in HAS:
        raise _invalid("operator_unknown", f"`has` must be one of: {', '.join(HAS)}.", model)
    if operator == "none":
        if count is not None:
            raise _invalid("condition_value", "`has: none` takes no `count`.", model)
        return Related(model, "none", None, where, through=through)
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= MAX_ROWS:
        message = f"The condition on “{model}” needs a `count`: a whole number of 0 or more."
        raise _invalid("condition_value", message, model)
    return Related(model, operator, count, where, through=through)


def _measured(item: Mapping[str, Any], measure: str, model: str, through: str, where: Group) -> Related:
    column, operator = item[measure], _operator(item)
    _refuse_unknown_keys(item, ("related", "through", "where", measure, "is", "value"), model)
    if not isinstance(column, str):
        raise _invalid("condition_invalid", f"`{measure}` must be the name of a column of “{model}”.", model)
    if operator not in LABELS:
        message = f"The {measure} of “{column}” needs an operator under `is`, such as at_least."
        raise _invalid("operator_unknown", message, model)
    return Related(model, operator, item.get("value"), where, measure, column, through)


def _operator(item: Mapping[str, Any], key: str = "is") -> str:
    operator = item.get(key)
    return operator if isinstance(operator, str) else ""


def _refuse_unknown_keys(item: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for key in item:
        if key not in known:
            message = f"A condition can't have the key “{key}” here. Valid keys: {', '.join(known)}."
            raise _invalid("condition_invalid", message, where)


class _Validator:
    """Validates a tree together with the segments that it refers to.

    Each reference is expanded in place, so a chain of segments that each refer twice to the next one doubles with every
    link: 20 segments of two conditions would expand to a million. MAX_EXPANDED ends that before time and memory do.
    """

    def __init__(self) -> None:
        self.remaining = MAX_EXPANDED

    def group(self, tree: Group, scope: ModelScope, path: tuple[str, ...]) -> Group:
        return Group(tree.combine, tuple(self.item(item, scope, path) for item in tree.items))

    def item(self, item: Item, scope: ModelScope, path: tuple[str, ...]) -> Item:
        self.remaining -= 1
        if self.remaining < 0:
            message = f"Together with the segments it refers to, this has more than {MAX_EXPANDED:,} conditions."
            raise _invalid("condition_too_many", message)
        if isinstance(item, Group):
            return self.group(item, scope, path)
        if isinstance(item, Member):
            return self.member(item, scope, path)
        return self.related(item, scope, path) if isinstance(item, Related) else validation.leaf(item, scope.types)

    def member(self, item: Member, scope: ModelScope, path: tuple[str, ...]) -> Member:
        if item.segment in path:
            circle = " → ".join((*path[path.index(item.segment) :], item.segment))
            raise _invalid("segment_cycle", f"Segments can't refer to each other in a circle: {circle}.", item.segment)
        definition = scope.segments.get(item.segment)
        if definition is None:
            known = ", ".join(name for name in scope.segments if name not in path) or "none"
            message = f"The model has no segment named “{item.segment}”. Available segments: {known}."
            raise _invalid("segment_unknown", message, item.segment)
        tree = self.group(parse(definition.where), scope, (*path, item.segment))
        return Member(item.segment, item.operator, scope.name, tree, limits.parse(definition.limit, scope.types))

    def related(self, item: Related, scope: ModelScope, path: tuple[str, ...]) -> Related:
        link = validation.link(item, scope)
        other = scope.models[item.model]
        # The path is passed on: a circle can close through a segment of a related model too.
        where = self.group(item.where, other, path)
        value = item.value if item.measure == "count" else validation.measure_value(item, other.types)
        return Related(item.model, item.operator, value, where, item.measure, item.column, item.through, link)


def _invalid(code: str, message: str, where: str = "") -> Misconfigured:
    return Misconfigured(code, message, where=where)


__all__ = [
    "EMPTINESS", "EVERYTHING", "HAS", "LABELS", "LENGTHS", "LISTS", "MEASURES", "MEMBER", "OPERATORS", "PAIRS", "PLAIN",
    "Combine", "Group", "Item", "Leaf", "Member", "Related", "from_rows", "in_words", "leaves", "measure_operators",
    "parse", "rows", "segments_of", "sentence", "validate",
]  # fmt: skip
