"""Computed fields as they are saved: checked together with what uses them, renamed with it, never taken from under it."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from django.db import transaction

from core.errors import Misconfigured
from segments.conditions import computed_fields
from segments.conditions.scope_from_db import facts
from segments.integrity import segments
from segments.models import FIRST_COMPUTED, Column, ComputedField, DataModel

if TYPE_CHECKING:
    from segments.conditions.scope import Facts


def prepare(field: ComputedField, before: str = "") -> None:
    """Gives a field that is about to be saved its definition as it is stored, its type and its place.

    Args:
        before: the name that it had, where it is another now.

    Raises:
        Misconfigured: its name is taken, it can't be worked out, or what uses it could not be understood any more.
    """
    _check_name(field)
    about = computed_fields.within(facts(field.model), before or field.name)
    formula = computed_fields.parse(field.definition, about)
    field.definition, field.type = computed_fields.plain(formula), computed_fields.type_of(formula, about)
    if field.pk is None:
        field.position = _last_place(field.model)
    else:
        _refuse_breaking(field, before or field.name)


def follow(field: ComputedField, before: str) -> None:
    """Lets what uses a field by the name it had use it by the one that it was saved with."""
    if before and before != field.name:
        segments.rename_column(field.model, before, field.name)


def planned(field: ComputedField) -> list[Column]:
    """The computed fields of its model, with `field` as it is about to be, in its place or as the last."""
    present = field.model.computed_fields()
    return [field if one.pk == field.pk else one for one in present] + ([] if field.pk else [field])


def move(field: ComputedField, step: int) -> None:
    """Puts a field one place up (-1) or down (1); at either end it stays.

    Raises:
        Misconfigured: it would stand above a field that it uses, or below one that uses it.
    """
    present = field.model.computed_fields()
    place = [one.pk for one in present].index(field.pk)
    if not 0 <= place + step < len(present):
        return
    other = present[place + step]
    before = segments.broken(field.model.source)
    with transaction.atomic():
        ComputedField.objects.filter(pk=field.pk).update(position=other.position)
        ComputedField.objects.filter(pk=other.pk).update(position=present[place].position)
        segments.refuse_breaking(field.model.source, before)


def in_words(_model: DataModel, about: Facts) -> dict[str, str]:
    """What each computed field of a model is, or why it can't be worked out."""
    return {name: _said(about, name) for name in about.computed}


def _said(about: Facts, name: str) -> str:
    try:
        return computed_fields.in_words(computed_fields.checked(about, name))
    except Misconfigured as problem:
        return problem.message


def _check_name(field: ComputedField) -> None:
    name = field.name
    if not name.strip() or name != name.strip() or len(name) > computed_fields.NAME_LENGTH:
        raise _wrong(f"A name has 1 to {computed_fields.NAME_LENGTH} letters, and no blank at either end.", "name")
    if field.model.columns.filter(name=name).exclude(pk=field.pk).exists():
        raise _wrong(f"The model has a column called {name!r} already. Choose another name.", "name")


def _last_place(model: DataModel) -> int:
    present = model.computed_fields()
    if len(present) >= computed_fields.MOST_FIELDS:
        raise _wrong(f"A model can have at most {computed_fields.MOST_FIELDS} computed fields.", "name")
    return max((one.position for one in present), default=FIRST_COMPUTED - 1) + 1


def _refuse_breaking(field: ComputedField, before: str) -> None:
    """What uses the field calls it by the name it had, until it is saved."""
    source = field.model.source
    renamed = copy(field)
    renamed.name = before
    after = facts(field.model, computed=planned(renamed)).world
    segments.refuse_more(segments.broken_in(after), segments.broken(source))


def _wrong(message: str, where: str) -> Misconfigured:
    return Misconfigured("computed_invalid", message, where=where)
