"""Whether the current keys decrypt every stored secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import apps

from core.errors import Problem
from core.secrets import EncryptedJSONField

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model


def encrypted_fields() -> Iterator[tuple[type[Model], str]]:
    """Every model with the name of its encrypted field."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, EncryptedJSONField):
                yield model, field.name


def rows(most: int | None = None) -> Iterator[tuple[str, Problem | None]]:
    """Each row that holds a secret, such as `connection 3`, with the reason why it can't be decrypted, or None.

    Args:
        most: how many rows of each kind to read, the latest first. None for all.

    Raises:
        django.db.Error: the database can't be read.
    """
    for model, field in encrypted_fields():
        for key in model._default_manager.order_by("-pk").values_list("pk", flat=True)[:most]:
            yield f"{model._meta.verbose_name} {key}", _read(model, field, key)


def _read(model: type[Model], field: str, key: object) -> Problem | None:
    try:
        model._default_manager.values_list(field).filter(pk=key).first()
    except Problem as problem:
        return problem
    return None
