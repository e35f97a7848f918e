"""Finds records by the beginning of their name, key, match value or ID at the destination, among stored changes.

Names are found without their accents, too: a name of ASCII letters by its index in uppercase, any other by the plain
form that is stored with it (see `storage.plain_names`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connection
from django.db.models.functions import Coalesce, Left, Upper

from activations.models import Change
from activations.storage import plain_names
from core.text.folding import folded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

FIELDS = ("name", "key", "match_identity", "remote_id")
"""Each has an index for the beginning of its text in uppercase."""
NO_VALUES = ("key", "remote_id")
"""Those of them that are no values of the record."""
MOST_OF_EACH, INDEXED, LAST_CHARACTER = 500, 100, "\U0010ffff"


@dataclass(frozen=True)
class Found:
    """A record that was found.

    Args:
        what: its match value or remote ID, if that was found; else "".
    """

    model: int
    key: str
    name: str
    what: str = ""


def fields_for(*, sees: bool) -> Sequence[str]:
    """The fields that are searched for a person, by whether they may see values."""
    return FIELDS if sees else NO_VALUES


def change_ids(text: str, fields: Sequence[str] = FIELDS) -> list[int]:
    """The IDs of changes of records that begin with this text in one of the fields, in any case. Bounded.

    Not sorted by the database: for rare texts, it would search all changes from the newest on.
    """
    found: set[int] = set()
    for changes in begin_with(text, fields):
        found.update(changes.order_by().values_list("pk", flat=True)[:MOST_OF_EACH])
    return sorted(found, reverse=True)


def begin_with(text: str, fields: Sequence[str] = FIELDS) -> list[QuerySet[Change]]:
    """The changes of records that begin with this text in one of the fields: one query for each index."""
    plain = folded(text)
    found = [beginning(name, text) for name in fields]
    if "name" not in fields:
        return found
    if plain != text.lower():
        found.append(beginning("name", plain))
    return [*found, beginning_plainly(plain)] if plain else found


def beginning_plainly(plain: str) -> QuerySet[Change]:
    """The changes whose name begins with this text without accents, of those names that have letters beyond ASCII."""
    first = plain[: plain_names.LONGEST]
    if connection.vendor == "sqlite":
        return Change.objects.filter(plain_name__gte=first, plain_name__lt=f"{first}{LAST_CHARACTER}")
    return Change.objects.filter(plain_name__startswith=first)


def beginning(name: str, text: str) -> QuerySet[Change]:
    """The changes whose field begins with this text, by the index that migration 0018 creates."""
    if connection.vendor == "sqlite":
        # SQLite changes the case of ASCII letters only.
        first = "".join(letter.upper() if letter.isascii() else letter for letter in text)
        return Change.objects.alias(begin=Upper(name)).filter(begin__gte=first, begin__lt=f"{first}{LAST_CHARACTER}")
    shortened = Upper(Left(name, INDEXED))
    return Change.objects.exclude(**{name: ""}).alias(begin=shortened).filter(begin__startswith=text.upper()[:INDEXED])


def records(text: str, most: int, *, sees: bool) -> list[Found]:
    """Records that begin with this text in one of `FIELDS`: exact matches first, then those of the newest changes.

    Args:
        sees: whether they are found by their values as well, and have their names.
    """
    model = Coalesce("run__activation__model_id", "run__activation__segment__model_id")
    rows = (
        Change.listed.filter(pk__in=change_ids(text, fields_for(sees=sees))[: MOST_OF_EACH * 2])
        .exclude(key="")
        .order_by("-pk")
        .values_list(model, "key", "name", "match_identity", "remote_id")
    )
    found: dict[tuple[int, str], Found] = {}
    for model_id, key, *values, remote_id in rows:
        name, match = values if sees else ("", "")
        previous = found.get((model_id, key))
        what = next((one for one in (match, remote_id) if _begins(one, text)), "")
        shown = "" if _begins(name, text) or _begins(key, text) else what
        if previous is None:
            found[model_id, key] = Found(model_id, key, name, shown)
        elif not previous.name and name:
            found[model_id, key] = Found(model_id, key, name, previous.what)
    return sorted(found.values(), key=lambda one: not _is_exactly(one, text))[:most]


def _begins(value: str, text: str) -> bool:
    return folded(value).startswith(folded(text))


def _is_exactly(found: Found, text: str) -> bool:
    return folded(text) in (folded(found.key), folded(found.name), folded(found.what))
