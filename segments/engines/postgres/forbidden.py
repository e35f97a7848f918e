"""PURE. What a query may not call in PostgreSQL, because it does more than read rows.

A read-only transaction does not prevent it. PostgreSQL's own declaration decides: a function that reads files, waits or
calls other servers is declared volatile, and so is any function of an extension or a user unless its author declares
otherwise. No list of names could cover those. The lists here are the exceptions in both directions.
"""

from __future__ import annotations

VOLATILE = """
    select p.proname, bool_or(p.pronamespace = 'pg_catalog'::regnamespace),
           bool_or(coalesce(a.typtype in ('c', 'p'), false) or p.provariadic <> 0)
    from pg_proc p join pg_type t on t.oid = p.prorettype left join pg_type a on a.oid = p.proargtypes[0]
    where p.provolatile = 'v'
    and t.typname not in ('trigger', 'event_trigger', 'internal', 'tsm_handler', 'language_handler')
    group by 1
"""
VOLATILE_OPERATORS = """
    select distinct o.oprname from pg_operator o join pg_proc p on p.oid = o.oprcode where p.provolatile = 'v'
"""
VOLATILE_TYPES = """
    select t.typname, exists (
        select from pg_proc p where p.oid in (t.typinput, t.typoutput, t.typmodin, t.typmodout) and p.provolatile = 'v'
        union all select from pg_cast c join pg_proc p on p.oid = c.castfunc
        where t.oid in (c.castsource, c.casttarget) and p.provolatile = 'v'
    ), coalesce((select string_agg(pg_get_constraintdef(k.oid), ' ') from pg_constraint k where k.contypid = t.oid), '')
    from pg_type t where t.typtype in ('b', 'd', 'r', 'm') and t.typnamespace <> 'pg_catalog'::regnamespace
"""
CHECKED_QUERY = "dinmo_checked_query"
HARMLESS = {
    "random",
    "random_normal",
    "normal_rand",
    "clock_timestamp",
    "timeofday",
    "gen_random_uuid",
    "gen_random_bytes",
    "gen_salt",
    "setseed",
    "current_query",
    "uuid_generate_v1",
    "uuid_generate_v1mc",
    "uuid_generate_v4",
}
"""Volatile functions that only return a value."""
_RUNS_SQL = {"crosstab", "crosstab2", "crosstab3", "crosstab4", "crosstabn", "connectby", "xpath_table"}
_EXPORTS_TABLES = {
    f"{what}_to_xml{suffix}" for what in ("table", "schema", "database", "cursor") for suffix in ("", "_and_xmlschema")
}
_READS_SERVER_FILES = {"pg_hba_file_rules", "pg_ident_file_mappings", "pg_file_settings", "pg_show_all_file_settings"}
FORBIDDEN = _RUNS_SQL | _EXPORTS_TABLES | _READS_SERVER_FILES
"""Functions declared stable that run the SQL in a string or export whole tables, and views of the server's files."""
