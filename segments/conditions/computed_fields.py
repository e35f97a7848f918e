"""PURE. Computed fields of a model: parsing and validating their definitions, and describing them in words.

A definition is an aggregate over related rows, `{related: Orders, sum: amount, where: {...}}` or
`{related: Orders, count: true}`, or a label chosen by conditions, `{labels: [{label: Gold, where: {...}}],
otherwise: Other}`. The first label whose conditions match applies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from core.errors import Misconfigured
from segments.conditions import parsing, serialization, validation
from segments.conditions.operands import UNSTORABLE
from segments.conditions.sentences import in_words as conditions_in_words
from segments.conditions.sentences import measure_in_words
from segments.conditions.tree import MEASURES, Group, Related, columns, fields, segments_of, size
from segments.contract import ColumnType

if TYPE_CHECKING:
    from segments.conditions.scope import ModelScope

KINDS = ("count", *MEASURES)
MAX_FIELDS = 40
MAX_LABELS = 50
LABEL_LENGTH = 200
NAME_LENGTH = 200
_AGGREGATE = ("related", "through", "where", *KINDS)


@dataclass(frozen=True)
class Labels:
    """The first label whose conditions match the row, or `otherwise` if none does. Null if that is None."""

    labels: tuple[tuple[str, Group], ...]
    otherwise: str | None = None


Formula = Related | Labels
"""An aggregate is a condition on related rows without a comparison."""


def parse(definition: Any, scope: ModelScope | None = None) -> Formula:
    """The formula of a definition. It is validated only if a `scope` is given, as returned by `definition_scope`.

    Raises:
        Misconfigured: not a valid definition.
    """
    if not isinstance(definition, Mapping):
        raise _invalid("A computed field must be {related, …} or {labels, …}.")
    formula = _labels(definition) if "labels" in definition else _aggregate(definition)
    if sum(map(size, trees(formula))) > parsing.MAX_CONDITIONS:
        raise _invalid(f"A computed field can have at most {parsing.MAX_CONDITIONS} conditions.")
    return formula if scope is None else _validated(formula, scope)


def definition_scope(scope: ModelScope, name: str = "") -> ModelScope:
    """What a definition can name: the source columns of all models, and the computed fields above it in its own model.

    Fields can use only those above them, so that they can never depend on each other in a circle. Computed fields of
    other models and segments are left out for the same reason.

    Args:
        name: the name of the field itself; a new field comes after all others.
    """
    models: dict[str, ModelScope] = {}
    for model, other in scope.models.items():
        plain = {column: column_type for column, column_type in other.types.items() if column not in other.computed}
        models[model] = replace(other, types=plain, segments={}, computed={}, models=models)
    above = {field: scope.computed[field] for field in takewhile(lambda field: field != name, scope.computed)}
    types = {
        column: column_type
        for column, column_type in scope.types.items()
        if column not in scope.computed or column in above
    }
    return replace(scope, types=types, segments={}, computed=above, models=models)


def formulas(scope: ModelScope, names: Iterable[str]) -> dict[str, Formula]:
    """The computed fields among `names` and those that they use, validated, in their order.

    Raises:
        Misconfigured: one of them can't be calculated.
    """
    # From the last field to the first: a field uses only fields above it, so one pass finds them all.
    needed, result = set(names), {}
    for name in reversed(list(scope.computed)):
        if name in needed:
            result[name] = formula_of(scope, name)
            needed |= columns_used(result[name])
    return dict(reversed(result.items()))


def formula_of(scope: ModelScope, name: str) -> Formula:
    """The formula of a computed field. Raises Misconfigured, with the name of the field, if it can't be calculated."""
    try:
        return parse(scope.computed[name], definition_scope(scope, name))
    except Misconfigured as problem:
        message = f"The computed field “{name}” of “{scope.name}” can't be calculated. {problem.message}"
        raise Misconfigured(problem.code, message, where=name) from None


def type_of(formula: Formula, scope: ModelScope) -> ColumnType:
    """The type of a validated formula's values."""
    if isinstance(formula, Labels):
        return ColumnType.TEXT
    if formula.measure in ("count", "average"):
        return ColumnType.INTEGER if formula.measure == "count" else ColumnType.NUMBER
    return ColumnType(scope.models[formula.model].types[formula.column])


def trees(formula: Formula) -> list[Group]:
    """The formula as condition trees of its own model."""
    return [Group("all", (formula,))] if isinstance(formula, Related) else [tree for _, tree in formula.labels]


def columns_used(formula: Formula) -> set[str]:
    """The columns of its own model that a formula needs."""
    return {name for tree in trees(formula) for name in fields(tree)}


def columns_named(definition: Any, model: str, wanted: str) -> set[str]:
    """The columns of the model `wanted` that the definition of a field of `model` names; none if it is not valid."""
    try:
        return {name for tree in trees(parse(definition)) for name in columns(tree, model, wanted)}
    except Misconfigured:
        return set()


def in_words(formula: Formula) -> str:
    """The formula in words, e.g. "Gold if (spent is greater than 1000), otherwise Other"."""
    if isinstance(formula, Related):
        return measure_in_words(formula)
    parts = [f"{label} if ({conditions_in_words(tree)})" for label, tree in formula.labels]
    return ", ".join([*parts, "otherwise empty" if formula.otherwise is None else f"otherwise {formula.otherwise}"])


def plain(formula: Formula) -> dict[str, Any]:
    """The definition as stored in JSON and in the workspace file; `parse` reads it back."""
    if isinstance(formula, Labels):
        labels = [{"label": label, "where": serialization.plain(tree)} for label, tree in formula.labels]
        return {"labels": labels, **({} if formula.otherwise is None else {"otherwise": formula.otherwise})}
    value = True if formula.measure == "count" else formula.column
    result = {
        "related": formula.model,
        **({"through": formula.through} if formula.through else {}),
        formula.measure: value,
    }
    return {**result, **({"where": serialization.plain(formula.where)} if formula.where.items else {})}


def _aggregate(definition: Mapping[str, Any]) -> Related:
    _refuse_unknown_keys(definition, _AGGREGATE)
    model, through = definition.get("related"), definition.get("through", "")
    if not isinstance(model, str) or not model or not isinstance(through, str):
        raise _invalid("A computed field needs `related` (the name of another model) or `labels`.")
    kinds = [key for key in KINDS if key in definition]
    if len(kinds) != 1:
        raise _invalid(f"A computed field over “{model}” needs exactly one of: {', '.join(KINDS)}.")
    kind, column = kinds[0], definition[kinds[0]]
    if kind == "count" and column is not True:
        raise _invalid("`count` must be true: it counts rows, not the values of a column.")
    if kind != "count" and not isinstance(column, str):
        raise _invalid(f"`{kind}` must be the name of a column of “{model}”.")
    return Related(
        model, "", None, parsing.parse(definition.get("where")), kind, "" if kind == "count" else column, through
    )


def _labels(definition: Mapping[str, Any]) -> Labels:
    _refuse_unknown_keys(definition, ("labels", "otherwise"))
    labels, otherwise = definition["labels"], definition.get("otherwise")
    if not isinstance(labels, list | tuple) or not 1 <= len(labels) <= MAX_LABELS:
        raise _invalid(f"`labels` must be a list of 1 to {MAX_LABELS} items of the form {{label, where}}.")
    return Labels(tuple(map(_label, labels)), None if otherwise is None else _text("otherwise", otherwise))


def _label(item: Any) -> tuple[str, Group]:
    if not isinstance(item, Mapping):
        raise _invalid("A label must have the form {label, where}.")
    _refuse_unknown_keys(item, ("label", "where"))
    label = _text("label", item.get("label"))
    tree = parsing.parse(item.get("where"))
    if not tree.items:
        raise _invalid(f"The label “{label}” needs conditions. Use `otherwise` for all remaining rows.")
    return label, tree


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > LABEL_LENGTH or UNSTORABLE.search(value):
        raise _invalid(
            f"`{key}` must be text of at most {LABEL_LENGTH} characters (in quotes if it looks like a number)."
        )
    return value


def _validated(formula: Formula, scope: ModelScope) -> Formula:
    for name in (name for tree in trees(formula) for name in segments_of(tree)):
        message = (
            f"A computed field can't refer to the segment “{name}”, because segments use computed fields. "
            "Use the conditions of the segment instead."
        )
        raise Misconfigured("computed_segment", message, where=name)
    if isinstance(formula, Labels):
        return replace(formula, labels=tuple((label, parsing.validate(tree, scope)) for label, tree in formula.labels))
    link = validation.link(formula, scope)
    other = scope.models[formula.model]
    if formula.measure != "count":
        validation.measurable(formula, other.types)
    return replace(formula, where=parsing.validate(formula.where, other), link=link)


def _refuse_unknown_keys(item: Mapping[str, Any], known: Iterable[str]) -> None:
    for key in item:
        if key not in known:
            raise _invalid(f"A computed field can't have the key “{key}” here. Valid keys: {', '.join(known)}.")


def _invalid(message: str) -> Misconfigured:
    return Misconfigured("computed_invalid", message, where="definition")
