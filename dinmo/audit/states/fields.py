"""Fields and plug-in settings, which all objects have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import ForeignKey, JSONField
from django.utils.text import capfirst

from core.errors import Misconfigured
from dinmo.audit.wording import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from django.db.models import Model

    from core.parameters import Parameter
    from core.plugins import Registry

UNREADABLE = "unreadable"
"""Replaces secrets that the current keys can't decrypt."""


def plain(row: Model, *, without: Sequence[str] = ()) -> Iterator[tuple[str, Any]]:
    """The editable fields of a row, by label."""
    for field in row._meta.concrete_fields:
        if field.editable and not field.primary_key and field.name not in without:
            yield capfirst(str(field.verbose_name)), _value(row, field)


def _value(row: Any, field: Any) -> Any:
    if isinstance(field, ForeignKey):
        return _name(field.related_model, getattr(row, field.attname))
    value = getattr(row, field.name)
    return dict(field.flatchoices).get(value, value) if field.choices and not isinstance(field, JSONField) else value


def _name(model: Any, pk: int | None) -> str:
    """Reads only the name, because a related row may have secrets that can't be decrypted."""
    return str(model._base_manager.filter(pk=pk).values_list("name", flat=True).first() or "") if pk else ""


def settings(row: Any, slug: str, registry: Registry[Any]) -> Iterator[tuple[str, Any]]:
    """The settings of a plug-in, by label. Of a secret, only whether it is set."""
    plug_in = registry.all.get(slug)
    parameters: dict[str, Parameter] = {each.name: each for each in plug_in.parameters} if plug_in else {}
    for name, value in row.config.items():
        yield _label(parameters, name), _choice(parameters.get(name), value)
    for name, value in _secrets(row).items():
        yield _label(parameters, name), Secret(value)


def _choice(parameter: Parameter | None, value: Any) -> Any:
    return dict(parameter.choices).get(value, value) if parameter and isinstance(value, str) else value


def _label(parameters: Mapping[str, Parameter], name: str) -> str:
    return parameters[name].label if name in parameters else name


def _secrets(row: Any) -> dict[str, Any]:
    try:
        return dict(type(row)._base_manager.values_list("secrets", flat=True).get(pk=row.pk))
    except Misconfigured:
        return {"Secrets": UNREADABLE}


def label_of(registry: Registry[Any], slug: str) -> str:
    return str(registry.all[slug].label) if slug in registry.all else slug
