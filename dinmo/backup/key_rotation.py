"""Re-encrypts stored secrets with the first of ENCRYPTION_KEYS, so that the other keys can be removed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.db import transaction
from django.db.models import F, TextField, Value
from django.db.models.functions import Cast

from core.secrets import cipher
from dinmo.accounts.entrance import second_factors
from dinmo.security.stored_secrets import encrypted_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.db.models import Model

BATCH = 500
"""Rows per transaction."""


@dataclass
class Rotation:
    """The numbers of stored secrets, by type of object. No key can decrypt those that are `unreadable`."""

    rotated: Counter[str] = field(default_factory=Counter)
    current: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)


def rotate() -> Rotation:
    """Re-encrypts secrets that use a different key than the first. Safe to interrupt, to repeat, and during runs."""
    done = Rotation()
    for model, name in encrypted_fields():
        for batch in _batches(model, name):
            with transaction.atomic():
                for key, token in batch:
                    _rotate(done, str(model._meta.verbose_name_plural), token, partial(_store, model, name, key, token))
    for row, name, token in second_factors.tokens():
        _rotate(done, second_factors.LABEL, token, partial(second_factors.replace, row, name))
    return done


def outdated() -> int:
    """The number of stored secrets that the first key can't decrypt."""
    first = Fernet(settings.ENCRYPTION_KEYS[0])
    fields = (
        not _reads(first, token)
        for model, name in encrypted_fields()
        for batch in _batches(model, name)
        for _, token in batch
    )
    return sum(fields) + sum(not _reads(first, token) for _, _, token in second_factors.tokens())


def _rotate(done: Rotation, label: str, token: str, store: Callable[[str], int]) -> None:
    if _reads(Fernet(settings.ENCRYPTION_KEYS[0]), token):
        done.current[label] += 1
        return
    try:
        again = cipher().rotate(token.encode()).decode()
    except InvalidToken:
        done.unreadable[label] += 1
        return
    done.rotated[label] += store(again)


def _store(model: type[Model], name: str, key: object, token: str, again: str) -> int:
    # Skips a secret that was saved in the meantime, because it is already encrypted with the first key.
    unchanged = model._base_manager.annotate(stored=Cast(F(name), TextField())).filter(pk=key, stored=token)
    return unchanged.update(**{name: Value(again, output_field=TextField())})


def _batches(model: type[Model], name: str) -> Iterator[list[tuple[object, str]]]:
    """The primary keys of rows with their encrypted values, in batches."""
    rows = model._base_manager.annotate(stored=Cast(F(name), TextField())).exclude(stored="").order_by("pk")
    last: list[tuple[object, str]] = list(rows.values_list("pk", "stored")[:BATCH])
    while last:
        yield last
        last = list(rows.filter(pk__gt=last[-1][0]).values_list("pk", "stored")[:BATCH])


def _reads(key: Fernet, token: str) -> bool:
    try:
        key.decrypt(token.encode())
    except InvalidToken:
        return False
    return True
