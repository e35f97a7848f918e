"""PURE. Queries on the information schema of MySQL and MariaDB."""

from __future__ import annotations

READABLE = "table_type in ('BASE TABLE', 'VIEW', 'SYSTEM VERSIONED') and table_schema in %s"
TABLES = f"""
    select table_schema, table_name from information_schema.tables where {READABLE} order by table_schema <> %s, 1, 2
"""  # noqa: S608
CATALOG = f"""
    select table_schema, table_name, table_type = 'VIEW', table_rows from information_schema.tables
    where {READABLE} order by table_schema <> %s, 1, 2
"""  # noqa: S608
ALL_COLUMNS = """
    select table_schema, table_name, column_name, column_type, is_nullable = 'YES' from information_schema.columns
    where table_schema in %s and find_in_set('select', privileges)
    order by table_schema, table_name, ordinal_position
"""
COLUMNS = """
    select column_name, column_type, is_nullable = 'YES' from information_schema.columns
    where table_schema = %s and table_name = %s and binary table_name = %s and find_in_set('select', privileges)
    order by ordinal_position
"""
FOREIGN_KEYS = """
    select max(column_name), max(referenced_table_schema), max(referenced_table_name), max(referenced_column_name)
    from information_schema.key_column_usage
    where table_schema = %s and table_name = %s and referenced_table_name is not null
    group by constraint_name having count(*) = 1 order by constraint_name
"""
JSON_CHECKS = """
    select constraint_name from information_schema.check_constraints
    where constraint_schema = %s and table_name = %s and check_clause like 'json_valid(%%'
"""
