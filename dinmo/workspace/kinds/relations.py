"""PURE. The relations in the file: `{from: Orders.company_id, to: Companies.id}`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dinmo.workspace import entities
from dinmo.workspace.block import Block, did_you_mean

if TYPE_CHECKING:
    from dinmo.workspace.names import Scope


def read(block: Block, scope: Scope) -> entities.Relation:
    """A relation in the file, with both of its ends validated."""
    model, column = _end(block, scope, "from")
    to_model, to_column = _end(block, scope, "to")
    if model and to_model and model.source != to_model.source:
        block.report(
            "to",
            f"“{model.name}” and “{to_model.name}” have different sources. Choose two models of one source.",
        )
    if model and to_model and model.name == to_model.name:
        block.report("to", "A model can't be related to itself. Create a second model of the same table.")
    ends = (model.name if model else "", column, to_model.name if to_model else "", to_column)
    return entities.Relation(
        name=name(*ends), model=ends[0], column=ends[1], to_model=ends[2], to_column=ends[3], lines=block.lines()
    )


def name(model: str, column: str, to_model: str, to_column: str) -> str:
    """The name of a relation: its two ends."""
    return f"{model}.{column} → {to_model}.{to_column}"


def _end(block: Block, scope: Scope, key: str) -> tuple[entities.Model | None, str]:
    """The model and the column that `Model.column` names. Both names may contain dots themselves.

    `a.b.c` may be the column `c` of the model `a.b`, or `b.c` of `a`: the longest model name with such a column wins.
    """
    written = block.text(key, required=True, longest=401)
    models = scope.visible("models")
    candidates = [name for name in models if written.startswith(f"{name}.")]
    for model in sorted(candidates, key=len, reverse=True):
        column = written[len(model) + 1 :]
        if column in models[model].source_types():
            return models[model], column
    if candidates:
        model = max(candidates, key=len)
        known = ", ".join(models[model].source_types()) or "none"
        if written[len(model) + 1 :] in models[model].types():
            block.report(key, f"“{written}” is a computed field. Choose a column of the source: {known}.")
            return None, ""
        block.report(key, f"The model “{model}” has no column “{written[len(model) + 1 :]}”. It has: {known}.")
    elif any(written.startswith(f"{name}.") for name in scope.declared["models"]):
        block.usable = False
    elif written:
        block.report(
            key,
            f"`{key}` must name a model and one of its columns, such as `Orders.company_id`."
            + did_you_mean(written.split(".")[0], models),
        )
    return None, ""
