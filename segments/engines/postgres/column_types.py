"""PURE. Column types of PostgreSQL by the object IDs of pg_type, which are fixed (src/include/catalog/pg_type.dat)."""

from __future__ import annotations

import pyarrow as pa

from segments.contract import ColumnType

TYPES = {
    16: ColumnType.BOOLEAN,
    **dict.fromkeys((20, 21, 23), ColumnType.INTEGER),
    **dict.fromkeys((700, 701, 1700), ColumnType.NUMBER),
    1082: ColumnType.DATE,
    **dict.fromkeys((1114, 1184), ColumnType.TIMESTAMP),
    **dict.fromkeys((114, 3802), ColumnType.OBJECT),
}
"""What the types mean; all others are text, and arrays are lists."""
EXACT = {16: pa.bool_(), 20: pa.int64(), 21: pa.int64(), 23: pa.int64()}
"""The types whose text Arrow can always parse and represent exactly; all others stay text."""
