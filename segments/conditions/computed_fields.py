"""PURE. Computed fields of a model: what a definition says, whether it can be worked out, and how it reads in words.

A definition is an aggregate over related rows, `{related: Orders, sum: amount, where: {...}}` or `{related: Orders, count: true}`, or a
label by conditions, `{labels: [{label: Gold, where: {...}}], otherwise: Other}`, of which the first that is met counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from core.errors import Misconfigured
from segments.conditions import parsing, validation
from segments.conditions.operands import UNSTORABLE
from segments.conditions.sentences import measure, say
from segments.conditions.tree import MEASURES, Group, Related, columns, fields, segments_of, size
from segments.contract import ColumnType

if TYPE_CHECKING:
    from segments.conditions.scope import Facts

KINDS = ("count", *MEASURES)
MOST_FIELDS = 40
MOST_LABELS = 50
LABEL_LENGTH = 200
NAME_LENGTH = 200
_AGGREGATE = ("related", "through", "where", *KINDS)


@dataclass(frozen=True)
class Labels:
    """The first label whose conditions a row meets; `otherwise` where it meets none, and nothing where that is None."""

    labels: tuple[tuple[str, Group], ...]
    otherwise: str | None = None


Formula = Related | Labels
"""An aggregate is a condition on related rows that compares with nothing."""


def parse(definition: Any, about: Facts | None = None) -> Formula:
    """What a definition says; validated where it is told `about` what, as `within` gives it.

    Raises:
        Misconfigured: it is no such definition, or can't be worked out.
    """
    if not isinstance(definition, Mapping):
        raise _wrong("A computed field is {related, …} or {labels, …}.")
    formula = _labels(definition) if "labels" in definition else _aggregate(definition)
    if sum(map(size, trees(formula))) > parsing.MAX_CONDITIONS:
        raise _wrong(f"A computed field can hold at most {parsing.MAX_CONDITIONS} conditions.")
    return formula if about is None else _validated(formula, about)


def within(about: Facts, name: str = "") -> Facts:
    """What a definition can name: columns of the sources, and of its own model the computed fields above it.

    Args:
        name: of the field itself; a new one stands below all others.
    """
    world: dict[str, Facts] = {}
    for model, other in about.world.items():
        plain = {column: column_type for column, column_type in other.types.items() if column not in other.computed}
        world[model] = replace(other, types=plain, segments={}, computed={}, world=world)
    above = {one: about.computed[one] for one in takewhile(lambda one: one != name, about.computed)}
    types = {
        column: column_type
        for column, column_type in about.types.items()
        if column not in about.computed or column in above
    }
    return replace(about, types=types, segments={}, computed=above, world=world)


def formulas(about: Facts, names: Iterable[str]) -> dict[str, Formula]:
    """The computed fields among `names` and those that they use, validated, in their order.

    Raises:
        Misconfigured: one of them can't be worked out.
    """
    needed, found = set(names), {}
    for name in reversed(list(about.computed)):
        if name in needed:
            found[name] = checked(about, name)
            needed |= used(found[name])
    return dict(reversed(found.items()))


def checked(about: Facts, name: str) -> Formula:
    """A computed field of a model. Raises Misconfigured, saying which, where it can't be worked out."""
    try:
        return parse(about.computed[name], within(about, name))
    except Misconfigured as problem:
        message = f"The computed field {name!r} of {about.name!r} can't be worked out. {problem.message}"
        raise Misconfigured(problem.code, message, where=name) from None


def type_of(formula: Formula, about: Facts) -> ColumnType:
    """The type of a validated formula's values."""
    if isinstance(formula, Labels):
        return ColumnType.TEXT
    if formula.measure in ("count", "average"):
        return ColumnType.INTEGER if formula.measure == "count" else ColumnType.NUMBER
    return ColumnType(about.world[formula.model].types[formula.column])


def trees(formula: Formula) -> list[Group]:
    """The formula as trees of conditions about its own model."""
    return [Group("all", (formula,))] if isinstance(formula, Related) else [tree for _, tree in formula.labels]


def used(formula: Formula) -> set[str]:
    """The columns of its own model that a formula looks at."""
    return {name for tree in trees(formula) for name in fields(tree)}


def named(definition: Any, about: str, wanted: str) -> set[str]:
    """The columns of the model `wanted` that the definition of a field of `about` names; none where it can't be read."""
    try:
        return {name for tree in trees(parse(definition)) for name in columns(tree, about, wanted)}
    except Misconfigured:
        return set()


def in_words(formula: Formula) -> str:
    """The formula in words, e.g. "Gold where (spent is greater than 1000), otherwise Other"."""
    if isinstance(formula, Related):
        return measure(formula)
    parts = [f"{label} where ({say(tree)})" for label, tree in formula.labels]
    return ", ".join([*parts, "otherwise empty" if formula.otherwise is None else f"otherwise {formula.otherwise}"])


def plain(formula: Formula) -> dict[str, Any]:
    """The definition as JSON and the workspace file hold it; `parse` reads it back."""
    if isinstance(formula, Labels):
        labels = [{"label": label, "where": parsing.plain(tree)} for label, tree in formula.labels]
        return {"labels": labels, **({} if formula.otherwise is None else {"otherwise": formula.otherwise})}
    value = True if formula.measure == "count" else formula.column
    said = {
        "related": formula.model,
        **({"through": formula.through} if formula.through else {}),
        formula.measure: value,
    }
    return {**said, **({"where": parsing.plain(formula.where)} if formula.where.items else {})}


def _aggregate(definition: Mapping[str, Any]) -> Related:
    _refuse_other(definition, _AGGREGATE)
    model, through = definition.get("related"), definition.get("through", "")
    if not isinstance(model, str) or not model or not isinstance(through, str):
        raise _wrong("A computed field needs `related`, the name of another model, or `labels`.")
    asked = [key for key in KINDS if key in definition]
    if len(asked) != 1:
        raise _wrong(f"A computed field over {model!r} takes one of: {', '.join(KINDS)}.")
    kind, column = asked[0], definition[asked[0]]
    if kind == "count" and column is not True:
        raise _wrong("`count` takes true: rows are counted, not a column.")
    if kind != "count" and not isinstance(column, str):
        raise _wrong(f"`{kind}` takes a column of {model!r}.")
    return Related(
        model, "", None, parsing.parse(definition.get("where")), kind, "" if kind == "count" else column, through
    )


def _labels(definition: Mapping[str, Any]) -> Labels:
    _refuse_other(definition, ("labels", "otherwise"))
    labels, otherwise = definition["labels"], definition.get("otherwise")
    if not isinstance(labels, list | tuple) or not 1 <= len(labels) <= MOST_LABELS:
        raise _wrong(f"`labels` takes a list of 1 to {MOST_LABELS} items {{label, where}}.")
    return Labels(tuple(map(_label, labels)), None if otherwise is None else _text("otherwise", otherwise))


def _label(item: Any) -> tuple[str, Group]:
    if not isinstance(item, Mapping):
        raise _wrong("A label is {label, where}.")
    _refuse_other(item, ("label", "where"))
    label = _text("label", item.get("label"))
    tree = parsing.parse(item.get("where"))
    if not tree.items:
        raise _wrong(f"The label {label!r} needs conditions. What all other rows get is said by `otherwise`.")
    return label, tree


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > LABEL_LENGTH or UNSTORABLE.search(value):
        raise _wrong(
            f"`{key}` takes a text of at most {LABEL_LENGTH} letters (in quotes where it looks like a number)."
        )
    return value


def _validated(formula: Formula, about: Facts) -> Formula:
    for name in (one for tree in trees(formula) for one in segments_of(tree)):
        message = f"A computed field can't ask about the segment {name!r}: segments use computed fields. Use its conditions instead."
        raise Misconfigured("computed_segment", message, where=name)
    if isinstance(formula, Labels):
        return replace(formula, labels=tuple((label, parsing.validate(tree, about)) for label, tree in formula.labels))
    link = validation.link(formula, about)
    other = about.world[formula.model]
    if formula.measure != "count":
        validation.measurable(formula, other.types)
    return replace(formula, where=parsing.validate(formula.where, other), link=link)


def _refuse_other(item: Mapping[str, Any], known: Iterable[str]) -> None:
    for key in item:
        if key not in known:
            raise _wrong(f"A computed field has no {key!r} here. It takes {', '.join(known)}.")


def _wrong(message: str) -> Misconfigured:
    return Misconfigured("computed_invalid", message, where="definition")
