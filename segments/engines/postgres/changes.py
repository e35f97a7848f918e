"""PURE. PostgreSQL's counters of changed rows: which tables a statement reads, and the signal of their data.

TRUNCATE and the refresh of a materialized view count no rows, but give a table a new file.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

FOREIGN = "f"
COUNTERS = """
    select c.oid::bigint, c.relkind::text, pg_relation_filenode(c.oid)::bigint,
           (s.n_tup_ins + s.n_tup_upd + s.n_tup_del)::bigint
    from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_stat_all_tables s on s.relid = c.oid
    where (n.nspname, c.relname) in (select * from unnest(%s::text[], %s::text[])) order by 1
"""


def tables_of(plan: Any) -> set[tuple[str, str]]:
    """Schema and name of each table that a plan of EXPLAIN (VERBOSE, FORMAT JSON) reads, partitions included."""
    return {(node["Schema"], node["Relation Name"]) for node in _nodes(plan) if "Relation Name" in node}


def signal(counters: Sequence[tuple[int, str, int, int]]) -> str | None:
    """The signal of tables, by the rows of COUNTERS; None if there are none, or one lies in a different database."""
    if not counters or any(kind == FOREIGN for _, kind, _, _ in counters):
        return None
    return hashlib.sha256(repr(list(counters)).encode()).hexdigest()[:40]


def _nodes(plan: Any) -> Iterator[dict[str, Any]]:
    if isinstance(plan, dict):
        yield plan
    children: Iterable[Any] = plan.values() if isinstance(plan, dict) else plan if isinstance(plan, list) else ()
    for child in children:
        yield from _nodes(child)
