"""The fields of a destination as they were found last, kept for its connection: renewed by every run, and by hand."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.utils.crypto import salted_hmac

from destinations import vendor
from destinations.contract import Field, Option
from destinations.models import Connection, Destination, Discovery

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime


class Kind(StrEnum):
    """What became of a field between two discoveries."""

    NEW = "new"
    GONE = "gone"
    READ_ONLY = "read_only"
    WRITABLE = "writable"
    TYPE = "type"
    REQUIRED = "required"
    OPTIONS = "options"


@dataclass(frozen=True)
class Difference:
    """One field that differs from the discovery before, in words; `before` is its former type where that is another one."""

    kind: Kind
    name: str
    message: str
    before: str = ""


@dataclass(frozen=True)
class Found:
    """A discovery: the fields, when the vendor said so, and what differed then from the one before."""

    fields: list[Field]
    found_at: datetime
    differences: Sequence[Difference] = ()


def fields(destination: Destination, now: datetime) -> Found:
    """What was found last; the vendor is asked only where nothing is kept, or the connection's settings are others since.

    Raises:
        Misconfigured, Unavailable
    """
    return cached(destination) or refresh(destination, now)


def cached(destination: Destination) -> Found | None:
    """What was found last with the connection's present settings, without asking the vendor."""
    kept = _kept(destination)
    if kept is None or kept.settings_mark != _mark(destination.connection):
        return None
    return Found([_field(entry) for entry in kept.fields], kept.found_at)


def refresh(destination: Destination, now: datetime) -> Found:
    """Asks the vendor, keeps the answer, and says what differs from what was kept.

    Raises:
        Misconfigured, Unavailable
    """
    found = vendor.fields(destination)
    return Found(found, now, keep(destination, found, now))


def keep(destination: Destination, found: Sequence[Field], now: datetime) -> list[Difference]:
    """Keeps what the vendor just said, and says what differs from what was kept."""
    kept = _kept(destination)
    before = [_field(entry) for entry in kept.fields] if kept else found
    Discovery.objects.update_or_create(
        connection=destination.connection,
        service=destination.service,
        defaults={
            "fields": [dataclasses.asdict(field) for field in found],
            "found_at": now,
            "settings_mark": _mark(destination.connection),
        },
    )
    return list(differences(before, found))


def kind(field: Field) -> str:
    """PURE. A field's type in words, with whether it holds a list."""
    return f"{field.type}, list" if field.multiple else field.type


def differences(before: Iterable[Field], now: Iterable[Field]) -> Iterator[Difference]:
    """PURE. What became of the fields, in the order of `before`, new ones last."""
    then, there = ({field.name: field for field in fields} for fields in (before, now))
    for name, old in then.items():
        if name in there:
            yield from _changes(old, there[name])
        else:
            yield Difference(Kind.GONE, name, f"{name!r} is gone: it was archived or deleted.")
    for name, new in there.items():
        if name not in then:
            yield Difference(Kind.NEW, name, f"{name!r} is new: {kind(new)}.")


def in_words(found: Sequence[Difference]) -> list[str]:
    """PURE. The differences in sentences, those that many fields may share in one."""
    gone, new = ([repr(one.name) for one in found if one.kind is wanted] for wanted in (Kind.GONE, Kind.NEW))
    told = [one.message for one in found if one.kind not in (Kind.GONE, Kind.NEW)]
    if gone:
        told.insert(0, f"Gone, archived or deleted: {', '.join(gone)}.")
    return [*told, f"New: {', '.join(new)}."] if new else told


def _changes(old: Field, new: Field) -> Iterator[Difference]:
    name = repr(new.name)
    if kind(old) != kind(new):
        yield Difference(Kind.TYPE, new.name, f"{name} was {kind(old)} and is {kind(new)} now.", before=kind(old))
    if old.writable and not new.writable:
        yield Difference(Kind.READ_ONLY, new.name, f"{name} can't be written any more. {new.read_only_reason}".strip())
    if new.writable and not old.writable:
        yield Difference(Kind.WRITABLE, new.name, f"{name} can be written now.")
    if new.required and not old.required:
        yield Difference(Kind.REQUIRED, new.name, f"{name} is required now.")
    gained, lost = _titles(new.options, old.options), _titles(old.options, new.options)
    if gained or lost:
        parts = [f"{word} {', '.join(titles)}" for word, titles in (("new", gained), ("gone", lost)) if titles]
        yield Difference(Kind.OPTIONS, new.name, f"{name} has other options: {'; '.join(parts)}.")


def _titles(there: Iterable[Option], known: Iterable[Option]) -> list[str]:
    titles = {option.title for option in known}
    return [option.title for option in there if option.title not in titles]


def _kept(destination: Destination) -> Discovery | None:
    return Discovery.objects.filter(connection=destination.connection_id, service=destination.service).first()


def _mark(connection: Connection) -> str:
    """Says whether the settings are still the same, without saying what they are."""
    return salted_hmac(
        "discovery", json.dumps(connection.settings, sort_keys=True, default=str), algorithm="sha256"
    ).hexdigest()


_NAMES = {one.name for one in dataclasses.fields(Field)}


def _field(entry: Mapping[str, Any]) -> Field:
    known = {name: value for name, value in entry.items() if name in _NAMES}
    return Field(**{**known, "options": tuple(Option(**option) for option in entry["options"])})
