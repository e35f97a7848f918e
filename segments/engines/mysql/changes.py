"""PURE. The signal of data in MySQL and MariaDB: when tables were last written, and counters of written rows.

The time has whole seconds, and is forgotten when the server starts again. The counters need the privilege to read
`performance_schema`, which MariaDB switches off by default.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Fetch = Callable[[str, Sequence[Any]], Sequence[tuple[Any, ...]]]

BASE_TABLE = """
    select table_schema, table_name from information_schema.tables
    where table_schema = %s and table_name = %s and table_type <> 'VIEW'
"""
NO_CACHE = "SET SESSION information_schema_stats_expiry = 0"
"""Otherwise MySQL returns the times of up to a day ago. MariaDB has no such cache."""
_SYSTEM = "('mysql', 'sys', 'information_schema', 'performance_schema')"
TIMES = f"""
    select table_schema, table_name, create_time, update_time, update_time >= now() - interval 1 second
    from information_schema.tables where table_type <> 'VIEW' and table_schema not in {_SYSTEM}
"""  # noqa: S608
COUNTERS = f"""
    select object_schema, object_name, count_insert, count_update, count_delete
    from performance_schema.table_io_waits_summary_by_table where object_schema not in {_SYSTEM}
"""  # noqa: S608


def signal(fetch: Fetch, table: tuple[str, str] | None) -> str | None:
    """The signal of one table, or of all tables; None if none can be seen.

    Args:
        fetch: returns the rows of a query; none if it is not allowed.
    """
    fetch(NO_CACHE, ())
    times = fetch(*_only(TIMES, "table_schema", "table_name", table))
    counters = fetch(*_only(COUNTERS, "object_schema", "object_name", table))
    if not times:
        return None
    if any(any(numbers) for _, _, *numbers in counters):
        # Counters miss nothing, so the unsettled second is left out.
        times = [row[:4] for row in times]
    state = (sorted(map(repr, times)), sorted(map(repr, counters)))
    return hashlib.sha256(repr(state).encode()).hexdigest()[:40]


def _only(query: str, schema: str, name: str, table: tuple[str, str] | None) -> tuple[str, Sequence[Any]]:
    return (f"{query} and {schema} = %s and {name} = %s", table) if table else (query, ())
