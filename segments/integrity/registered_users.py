"""Who else builds on models and segments: other apps register here, so that nothing in this app has to know them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from segments.models import DataModel, Segment


@dataclass(frozen=True)
class Use:
    """Something that is built on a model.

    Args:
        noun: what it is called in a sentence, e.g. "activation".
        name: its name.
        columns: of the model, that it uses.
        identified_by: those of the columns that identify its records, and so can't be renamed.
        url: its page.
    """

    noun: str
    name: str
    columns: frozenset[str]
    identified_by: frozenset[str]
    url: str

    def __str__(self) -> str:
        return f"the {self.noun} “{self.name}”"


class User(Protocol):
    """An app that builds on models and segments."""

    def uses_of_model(self, model: DataModel) -> Iterable[Use]:
        """Everything that reads rows of the model, all of them or those of a segment."""

    def uses_of_segment(self, segment: Segment) -> Iterable[Use]:
        """Everything that reads the rows of the segment."""

    def column_renamed(self, model: DataModel, before: str, after: str) -> None:
        """Follows a column to its new name. Called in the transaction that renames it."""


_registered: list[str] = []


def register(user: str) -> None:
    """Adds an app by the dotted path of its `User`, which is imported at first use: models may not be loaded yet."""
    _registered.append(user)


def _users() -> Iterator[User]:
    for path in _registered:
        yield import_string(path)()


def uses_of_model(model: DataModel) -> Iterator[Use]:
    """Everything outside of this app that reads rows of the model."""
    for user in _users():
        yield from user.uses_of_model(model)


def uses_of_segment(segment: Segment) -> Iterator[Use]:
    """Everything outside of this app that reads the rows of the segment."""
    for user in _users():
        yield from user.uses_of_segment(segment)


def announce_renamed_column(model: DataModel, before: str, after: str) -> None:
    """Notifies all apps that a column of the model was renamed."""
    for user in _users():
        user.column_renamed(model, before, after)
