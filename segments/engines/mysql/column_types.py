"""PURE. Column types of MySQL and MariaDB: of tables as declared, of queries by the fields of the result."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pymysql.constants import FIELD_TYPE, FLAG

from segments.contract import ColumnType

if TYPE_CHECKING:
    from pymysql.protocol import FieldDescriptorPacket

BINARY_CHARSET = 63
BINARY = r"(tiny|medium|long)?blob|(var)?binary(\(\d+\))?|vector(\(\d+\))?"
PLAIN_TEXT = r"(var)?char(\(\d+\))?|(tiny|medium|long)?text"
GEOMETRY = r"geometry|point|(multi)?(linestring|polygon)|multipoint|geom(etry)?collection"
_TYPES = [
    (r"tinyint\(1\)|bit\(1\)", ColumnType.BOOLEAN),
    (r"(tiny|small|medium|big)?int\b.*|year\b.*|bit\b.*", ColumnType.INTEGER),
    (r"(decimal|float|double)\b.*", ColumnType.NUMBER),
    (r"date", ColumnType.DATE),
    (r"(datetime|timestamp)\b.*", ColumnType.TIMESTAMP),
    (r"json", ColumnType.OBJECT),
]
_NAMES = {
    FIELD_TYPE.DECIMAL: "decimal",
    FIELD_TYPE.NEWDECIMAL: "decimal",
    FIELD_TYPE.TINY: "tinyint",
    FIELD_TYPE.SHORT: "smallint",
    FIELD_TYPE.INT24: "mediumint",
    FIELD_TYPE.LONG: "int",
    FIELD_TYPE.LONGLONG: "bigint",
    FIELD_TYPE.YEAR: "year",
    FIELD_TYPE.FLOAT: "float",
    FIELD_TYPE.DOUBLE: "double",
    FIELD_TYPE.DATE: "date",
    FIELD_TYPE.NEWDATE: "date",
    FIELD_TYPE.DATETIME: "datetime",
    FIELD_TYPE.TIMESTAMP: "timestamp",
    FIELD_TYPE.TIME: "time",
    FIELD_TYPE.JSON: "json",
    FIELD_TYPE.GEOMETRY: "geometry",
}


def type_of(native: str) -> ColumnType:
    """The type that a declaration such as `decimal(12,2) unsigned` means."""
    return next((column_type for pattern, column_type in _TYPES if re.fullmatch(pattern, native)), ColumnType.TEXT)


def native_of(field: FieldDescriptorPacket) -> str:
    """The declaration that corresponds to a field of a result."""
    if field.type_code == FIELD_TYPE.BIT or (field.type_code == FIELD_TYPE.TINY and field.length == 1):
        return f"{'bit' if field.type_code == FIELD_TYPE.BIT else 'tinyint'}({field.length})"
    if name := _NAMES.get(field.type_code):
        return f"{name} unsigned" if field.flags & FLAG.UNSIGNED and name.endswith("int") else name
    if field.flags & (FLAG.ENUM | FLAG.SET):
        return "enum" if field.flags & FLAG.ENUM else "set"
    return "varbinary" if field.charsetnr == BINARY_CHARSET else "varchar"


def fits_int64(field: FieldDescriptorPacket) -> bool:
    """Whether every value of the field fits a signed 64-bit integer."""
    fitting = ("smallint", "mediumint", "int", "bigint", "int unsigned", "smallint unsigned", "mediumint unsigned")
    return native_of(field) in fitting
