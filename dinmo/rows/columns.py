"""PURE. Tables and their columns, with the Arrow type of each kind of column."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from django.db.models import Field


class Kind(Enum):
    """The type of a column. Types not listed here are handled as text, such as JSON and dates."""

    INTEGER = auto()
    REAL = auto()
    BOOLEAN = auto()
    TEXT = auto()
    BINARY = auto()
    TIMESTAMP = auto()
    UUID = auto()


ARROW_TYPES = {
    Kind.INTEGER: pa.int64(),
    Kind.REAL: pa.float64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.TEXT: pa.string(),
    Kind.BINARY: pa.binary(),
    Kind.TIMESTAMP: pa.timestamp("us", "UTC"),
    Kind.UUID: pa.string(),
}
KINDS = {
    **dict.fromkeys(("AutoField", "BigAutoField", "SmallAutoField", "IntegerField"), Kind.INTEGER),
    **dict.fromkeys(("BigIntegerField", "SmallIntegerField"), Kind.INTEGER),
    **dict.fromkeys(
        ("PositiveIntegerField", "PositiveBigIntegerField", "PositiveSmallIntegerField"),
        Kind.INTEGER,
    ),
    **dict.fromkeys(("CharField", "TextField", "SlugField", "FileField", "GenericIPAddressField"), Kind.TEXT),
    **dict.fromkeys(("JSONField", "DecimalField", "DateField", "TimeField"), Kind.TEXT),
    "FloatField": Kind.REAL,
    "BooleanField": Kind.BOOLEAN,
    "BinaryField": Kind.BINARY,
    "DateTimeField": Kind.TIMESTAMP,
    "UUIDField": Kind.UUID,
}
"""The kind of each Django field type. A test ensures that all field types in use are listed."""


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    name: str
    kind: Kind


@dataclass(frozen=True)
class Table:
    """A table or view, with the columns to read or write."""

    name: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([(column.name, ARROW_TYPES[column.kind]) for column in self.columns])


def kind(field: Field[Any, Any]) -> Kind:
    """The kind of a model field. A foreign key has the kind of the key it refers to."""
    while field.is_relation:
        field = field.target_field  # type: ignore[attr-defined]
    return KINDS[field.get_internal_type()]
