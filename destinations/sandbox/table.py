"""The records of a simulator that stores attributes as the vendor's API takes them: checked, unique, and archivable."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from destinations.sandbox.wire import ApiError, Collection

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Record = dict[str, Any]


@dataclass
class Attribute:
    """One attribute of a kind of record.

    Args:
        type: a key of `TYPES`.
        unique: records can be found by it, and no two have the same value.
        fixed: it can't be archived.
    """

    name: str
    type: str = "text"
    writable: bool = True
    unique: bool = False
    fixed: bool = True
    archived: bool = False


def _is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(date.fromisoformat(value))
    except ValueError:
        return False


TYPES: Mapping[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "date": _is_date,
}
"""Which JSON values an attribute of each type takes. A date is written as YYYY-MM-DD."""


class Table:
    """One kind of record. A request that is refused changes nothing."""

    def __init__(self, *attributes: Attribute) -> None:
        self.attributes = {attribute.name: attribute for attribute in attributes}
        self.records: dict[str, Record] = {}
        self._ids: dict[tuple[str, Any], str] = {}

    def find(self, name: str, value: Any) -> Record | None:
        """The record with this value in a unique attribute."""
        remote_id = self._ids.get((name, value))
        return self.records[remote_id] if remote_id else None

    def get(self, remote_id: str) -> Record:
        """Raises ApiError (404, `not_found`) if there is no such record."""
        if remote_id not in self.records:
            raise ApiError(404, "not_found", f"There is no record {remote_id}.")
        return self.records[remote_id]

    def save(self, values: Any, remote_id: str = "") -> Record:
        """Creates a record, or changes the one with this ID. Null clears a value.

        Raises:
            ApiError: 404 `not_found`, 422 `unknown_attribute`, `read_only` or `invalid_value`, or 409 `taken`; all but
                the first name the attribute.
        """
        record = self.get(remote_id) if remote_id else {"id": uuid.uuid4().hex, "created_at": _now()}
        self._check(values, record["id"])
        for name in filter(self._is_unique, values):
            self._ids.pop((name, record.get(name)), None)
            self._ids[name, values[name]] = record["id"]
        record.update(values)
        self.records[record["id"]] = record
        return record

    def described(self) -> list[dict[str, Any]]:
        """The attributes, as `Collection.attributes` has them."""
        return [dict(vars(attribute)) for attribute in self.attributes.values()]

    def collection(self) -> Collection:
        return Collection(self.records, dict, self.described)

    def _is_unique(self, name: str) -> bool:
        return self.attributes[name].unique

    def _check(self, values: Any, remote_id: str) -> None:
        if not isinstance(values, dict):
            raise ApiError(422, "invalid_body", "The body must be a JSON object.")
        for name, value in values.items():
            attribute = self.attributes.get(name)
            if attribute is None or attribute.archived:
                raise ApiError(422, "unknown_attribute", f"There is no attribute {name}.", field=name)
            if not attribute.writable:
                raise ApiError(422, "read_only", f"The attribute {name} is read-only.", field=name)
            if value is not None and not TYPES[attribute.type](value):
                raise ApiError(422, "invalid_value", f"{name} takes a {attribute.type}.", field=name)
            if attribute.unique and self._ids.get((name, value), remote_id) != remote_id:
                raise ApiError(409, "taken", f"Another record has this {name}.", field=name)


def _now() -> str:
    return datetime.now(UTC).isoformat()
