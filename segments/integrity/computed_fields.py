"""Saving computed fields: validated together with what uses them, and renamed there too."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from django.db import transaction

from core.errors import Misconfigured
from segments.conditions import computed_fields
from segments.conditions.scope_from_db import model_scope
from segments.integrity import segments
from segments.models import FIRST_COMPUTED, Column, ComputedField, DataModel

if TYPE_CHECKING:
    from segments.conditions.scope import ModelScope


def prepare(field: ComputedField, before: str = "") -> None:
    """Sets the normalized definition, the type and the position of a field that is about to be saved.

    Args:
        before: its previous name, if it is being renamed.

    Raises:
        Misconfigured: its name is taken, it can't be calculated, or something that uses it would no longer be valid.
    """
    _check_name(field)
    scope = computed_fields.definition_scope(model_scope(field.model), before or field.name)
    formula = computed_fields.parse(field.definition, scope)
    field.definition, field.type = computed_fields.plain(formula), computed_fields.type_of(formula, scope)
    if field.pk is None:
        field.position = _last_position(field.model)
    else:
        _refuse_breaking(field, before or field.name)


def follow(field: ComputedField, before: str) -> None:
    """Replaces the previous name of a field with its saved one, wherever it is used."""
    if before and before != field.name:
        segments.rename_column(field.model, before, field.name)


def planned(field: ComputedField) -> list[Column]:
    """The computed fields of its model once `field` is saved: in its present position, or last if it is new."""
    saved = field.model.computed_fields()
    return [field if other.pk == field.pk else other for other in saved] + ([] if field.pk else [field])


def move(field: ComputedField, step: int) -> None:
    """Moves a field one position up (-1) or down (1). At either end, it stays where it is.

    Raises:
        Misconfigured: it would be above a field that it uses, or below one that uses it.
    """
    fields = field.model.computed_fields()
    index = [other.pk for other in fields].index(field.pk)
    if not 0 <= index + step < len(fields):
        return
    neighbor = fields[index + step]
    before = segments.broken(field.model.source)
    with transaction.atomic():
        ComputedField.objects.filter(pk=field.pk).update(position=neighbor.position)
        ComputedField.objects.filter(pk=neighbor.pk).update(position=fields[index].position)
        segments.refuse_breaking(field.model.source, before)


def in_words(_model: DataModel, scope: ModelScope) -> dict[str, str]:
    """Name → the computed field in words, or why it can't be calculated."""
    return {name: _description(scope, name) for name in scope.computed}


def _description(scope: ModelScope, name: str) -> str:
    try:
        return computed_fields.in_words(computed_fields.formula_of(scope, name))
    except Misconfigured as problem:
        return problem.message


def _check_name(field: ComputedField) -> None:
    name = field.name
    if not name.strip() or name != name.strip() or len(name) > computed_fields.NAME_LENGTH:
        length = f"1 to {computed_fields.NAME_LENGTH} characters"
        raise _invalid(f"The name must have {length} and no whitespace at either end.", "name")
    if field.model.columns.filter(name=name).exclude(pk=field.pk).exists():
        raise _invalid(f"The model already has a column named “{name}”. Choose a different name.", "name")


def _last_position(model: DataModel) -> int:
    fields = model.computed_fields()
    if len(fields) >= computed_fields.MAX_FIELDS:
        raise _invalid(f"A model can have at most {computed_fields.MAX_FIELDS} computed fields.", "name")
    return max((field.position for field in fields), default=FIRST_COMPUTED - 1) + 1


def _refuse_breaking(field: ComputedField, before: str) -> None:
    # The comparison uses the previous name, because segments and fields keep referring to it until the field is saved.
    source = field.model.source
    renamed = copy(field)
    renamed.name = before
    after = model_scope(field.model, computed=planned(renamed)).models
    segments.refuse_new(segments.broken_in(after), segments.broken(source))


def _invalid(message: str, where: str) -> Misconfigured:
    return Misconfigured("computed_invalid", message, where=where)
