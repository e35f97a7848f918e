"""PURE. The relations of the file: `{from: Orders.company_id, to: Companies.id}`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dinmo.workspace import entities
from dinmo.workspace.block import Block, did_you_mean

if TYPE_CHECKING:
    from dinmo.workspace.names import Scope


def read(block: Block, scope: Scope) -> entities.Relation:
    """A relation of the file, both of its ends known."""
    model, column = _end(block, scope, "from")
    to_model, to_column = _end(block, scope, "to")
    if model and to_model and model.source != to_model.source:
        block.wrong(
            "to",
            f"{model.name!r} and {to_model.name!r} are of different sources. Only models of one source can be related.",
        )
    if model and to_model and model.name == to_model.name:
        block.wrong("to", "A model can't be related to itself. Make a second model of the same table.")
    ends = (model.name if model else "", column, to_model.name if to_model else "", to_column)
    return entities.Relation(
        name=name(*ends), model=ends[0], column=ends[1], to_model=ends[2], to_column=ends[3], lines=block.lines()
    )


def name(model: str, column: str, to_model: str, to_column: str) -> str:
    """What tells a relation from every other."""
    return f"{model}.{column} → {to_model}.{to_column}"


def _end(block: Block, scope: Scope, key: str) -> tuple[entities.Model | None, str]:
    """The model and the column that `Model.column` names; both names may hold dots themselves."""
    written = block.text(key, required=True, longest=401)
    models = scope.held("models")
    fits = [name for name in models if written.startswith(f"{name}.")]
    for found in sorted(fits, key=len, reverse=True):
        column = written[len(found) + 1 :]
        if column in models[found].source_types():
            return models[found], column
    if fits:
        found = max(fits, key=len)
        known = ", ".join(models[found].source_types()) or "none"
        if written[len(found) + 1 :] in models[found].types():
            block.wrong(key, f"{written!r} is a computed field. Models are related by columns of the source: {known}.")
            return None, ""
        block.wrong(key, f"The model {found!r} has no column {written[len(found) + 1 :]!r}. It has: {known}.")
    elif any(written.startswith(f"{name}.") for name in scope.declared["models"]):
        block.sound = False
    elif written:
        block.wrong(
            key,
            f"`{key}` is a model and a column of it, e.g. `Orders.company_id`."
            + did_you_mean(written.split(".")[0], models),
        )
    return None, ""
