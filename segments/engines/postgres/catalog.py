"""PURE. Queries on PostgreSQL's system catalog."""

from __future__ import annotations

READABLE = """
    c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and (%(all)s or n.nspname = any(%(schemas)s)) and has_schema_privilege(n.oid, 'usage')
    and has_any_column_privilege(c.oid, 'select')
"""
TABLES = f"""
    select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where {READABLE} order by 1, 2
"""  # noqa: S608
CATALOG = f"""
    select n.nspname, c.relname, c.relkind in ('v', 'm'), nullif(c.reltuples, -1)::bigint,
           array_agg(a.attname::text order by a.attnum), array_agg(a.atttypid::bigint order by a.attnum),
           array_agg(format_type(a.atttypid, a.atttypmod) order by a.attnum),
           array_agg(t.typcategory = 'A' order by a.attnum), array_agg(not a.attnotnull order by a.attnum)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    and has_column_privilege(c.oid, a.attnum, 'select')
    join pg_type t on t.oid = a.atttypid
    where {READABLE} group by 1, 2, 3, 4 order by 1, 2
"""  # noqa: S608
COLUMNS = """
    select attname, attnotnull from pg_attribute where attrelid = to_regclass(%s) and attnum > 0
    and not attisdropped and has_column_privilege(attrelid, attnum, 'select') order by attnum
"""
FOREIGN_KEYS = """
    select own.attname, n.nspname, c.relname, other.attname from pg_constraint k
    join pg_class c on c.oid = k.confrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute own on own.attrelid = k.conrelid and own.attnum = k.conkey[1]
    join pg_attribute other on other.attrelid = k.confrelid and other.attnum = k.confkey[1]
    where k.contype = 'f' and cardinality(k.conkey) = 1 and k.conrelid = to_regclass(%s) order by k.conname
"""
NATIVE = "select oid, format_type(oid, null), typcategory = 'A' from pg_type where oid = any(%s::oid[])"
