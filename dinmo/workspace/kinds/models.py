"""The models in the file. Their columns are read from the source by a `ColumnReader`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import Problem, Unavailable
from dinmo.workspace import entities
from dinmo.workspace.kinds import computed
from segments.engines.paths import table_name
from segments.sources import display as display_columns

if TYPE_CHECKING:
    from dinmo.workspace.block import Block
    from dinmo.workspace.names import Scope

ColumnReader = Callable[[entities.Source, str, str], tuple[entities.Column, ...]]
"""(source, table, sql) → its columns. Raises Misconfigured, Unavailable."""
KINDS = ("users", "events", "custom")
FILES = ("csv", "parquet", "jsonl")
TABLE_LENGTH = 400
SQL_LENGTH = 1_000_000


class Reader:
    """Reads models. A source that can't be reached is tried only once.

    Args:
        read_columns: None if sources must not be opened, because the file has problems anyway.
    """

    def __init__(self, read_columns: ColumnReader | None) -> None:
        self.read_columns = read_columns
        self.unreachable: set[str] = set()

    def __call__(self, block: Block, scope: Scope) -> entities.Model:
        name = block.name()
        source = scope.find("sources", block, "source")
        table, sql = _table_or_sql(block, source)
        key = block.text("primary_key", required=True)
        _same_key(block, scope.existing.models.get(name), key)
        columns = self._columns(block, source, table, sql) if source and (table or sql) else ()
        columns = _configured(block, columns, key, scope.existing.models.get(name))
        if columns and key and key not in [column.name for column in columns]:
            known = ", ".join(column.name for column in columns)
            block.report(
                "primary_key", f"The model has no column “{block.nodes['primary_key'].written}”. It has: {known}."
            )
        fields = computed.read(block, [column.name for column in columns], scope.existing.models.get(name))
        scope.deferred["relations"].append(lambda: computed.validate(block, name, scope))
        scope.deferred["activations"].append(lambda: computed.refuse_used(block, name, scope))
        return entities.Model(
            name=name,
            source=source.name if source else "",
            kind=block.choice("kind", KINDS, "custom"),
            table=table,
            sql=sql,
            primary_key=key,
            display=_display(block, columns, key, scope.existing.models.get(name)),
            columns=columns,
            computed=fields,
            lines=block.lines(),
        )

    def _columns(self, block: Block, source: entities.Source, table: str, sql: str) -> tuple[entities.Column, ...]:
        if self.read_columns is None or source.name in self.unreachable:
            block.usable = False
            return ()
        try:
            return self.read_columns(source, table, sql)
        except Unavailable as problem:
            self.unreachable.add(source.name)
            block.report("source", f"The source “{source.name}” can't be reached: {problem.message}")
        except Problem as problem:
            key = "sql" if sql else "table" if block.has("table") else "source"
            block.report(key, f"The source “{source.name}” can't read this: {problem.message}")
        return ()


def _configured(
    block: Block, columns: tuple[entities.Column, ...], key: str, existing: entities.Model | None
) -> tuple[entities.Column, ...]:
    """The columns with the names and options of the file, or the existing ones if it has no key `columns`."""
    if not block.has("columns"):
        before = {column.origin or column.name: column for column in (existing.columns if existing else ())}
        return tuple(_like(column, before[column.name]) if column.name in before else column for column in columns)
    wanted = {}
    for row in block.blocks("columns", "A column"):
        name = row.name("from")
        called, used = row.name("as", required=False) or name, row.flag("used", True)
        given = entities.Column(name=called, type="", used=used, categorical=row.flag("categorical", False))
        if columns and name not in [column.name for column in columns]:
            row.report(
                "from", f"The model has no column “{name}”. It has: {', '.join(column.name for column in columns)}."
            )
        if name == key and (given.name != key or not given.used):
            row.report("from", "The primary key must keep its name, and can't be switched off.")
        row.close()
        wanted[name] = given
    shown = tuple(_like(column, wanted[column.name]) if column.name in wanted else column for column in columns)
    duplicates = [name for name, times in Counter(column.name for column in shown).items() if times > 1]
    if duplicates:
        block.report("columns", f"Two columns are named “{duplicates[0]}”. Choose a different name for one of them.")
    return shown


def _display(block: Block, columns: tuple[entities.Column, ...], key: str, existing: entities.Model | None) -> str:
    """The key `display`; without it, what the model has now, or for a new model the column that fits best."""
    known = {column.name: column.type for column in columns if column.used}
    if block.has("display"):
        display = block.text("display")
        if display and columns and display not in known:
            block.report("display", f"The model has no column “{display}”. It has: {', '.join(known)}.")
        return display
    if existing is None:
        return display_columns.guess(known, key)
    origin = next((column.origin or column.name for column in existing.columns if column.name == existing.display), "")
    renamed = next((column.name for column in columns if origin and origin in (column.origin, column.name)), "")
    return renamed or existing.display


def _like(column: entities.Column, shown: entities.Column) -> entities.Column:
    origin = column.name if shown.name != column.name else ""
    return replace(column, name=shown.name, origin=origin, used=shown.used, categorical=shown.categorical)


def file_table(source: entities.Source) -> str:
    """The only table of a file source: the stem of the file's name. "" for other sources."""
    return table_name(str(source.config.get("path") or "")) if source.engine in FILES else ""


def display_key(model: entities.Model) -> str:
    """The key `display` of a model; "" if it is the column that would be guessed anyway."""
    is_guess = model.display == display_columns.guess(model.source_types(), model.primary_key)
    return "" if is_guess else model.display


def _table_or_sql(block: Block, source: entities.Source | None) -> tuple[str, str]:
    table = block.text("table", longest=TABLE_LENGTH)
    sql = block.text("sql", longest=SQL_LENGTH)
    if table and sql:
        block.report("sql", "Set `table` or `sql`, not both.")
    if not table and not sql and source:
        table = file_table(source)
        if not table:
            block.problems.add(block.line, "A model of this source needs a `table` or `sql`.")
    return table, sql


def _same_key(block: Block, existing: entities.Model | None, key: str) -> None:
    if existing and key and existing.primary_key != key:
        block.report(
            "primary_key",
            f"The primary key of a model can't be changed: the sync history uses “{existing.primary_key}”. "
            "Create a new model instead.",
        )
