"""The models of the file. Their columns are asked of the source, by way of `Ask`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import Problem, Unavailable
from dinmo.workspace import entities
from dinmo.workspace.kinds import computed
from segments.engines.paths import table_name

if TYPE_CHECKING:
    from dinmo.workspace.block import Block
    from dinmo.workspace.names import Scope

Ask = Callable[[entities.Source, str, str], tuple[entities.Column, ...]]
"""(source, table, sql) → its columns. Raises Misconfigured, Unavailable."""
KINDS = ("users", "events", "custom")
FILES = ("csv", "parquet", "jsonl")
TABLE_LENGTH = 400
SQL_LENGTH = 1_000_000


class Reader:
    """Reads models; a source that can't be reached is asked once.

    Args:
        ask: None where sources must not be asked, since the file is wrong anyway.
    """

    def __init__(self, ask: Ask | None) -> None:
        self.ask = ask
        self.unreachable: set[str] = set()

    def __call__(self, block: Block, scope: Scope) -> entities.Model:
        name = block.name()
        source = scope.find("sources", block, "source")
        table, sql = _table_or_sql(block, source)
        key = block.text("primary_key", required=True)
        _same_key(block, scope.standing.models.get(name), key)
        columns = self._columns(block, source, table, sql) if source and (table or sql) else ()
        columns = _shown(block, columns, key, scope.standing.models.get(name))
        if columns and key and key not in [column.name for column in columns]:
            known = ", ".join(column.name for column in columns)
            block.wrong(
                "primary_key", f"The model has no column {block.held['primary_key'].written!r}. It has: {known}."
            )
        fields = computed.read(block, [column.name for column in columns], scope.standing.models.get(name))
        scope.later["relations"].append(lambda: computed.settle(block, name, scope))
        scope.later["activations"].append(lambda: computed.refuse_used(block, name, scope))
        return entities.Model(
            name=name,
            source=source.name if source else "",
            kind=block.choice("kind", KINDS, "custom"),
            table=table,
            sql=sql,
            primary_key=key,
            columns=columns,
            computed=fields,
            lines=block.lines(),
        )

    def _columns(self, block: Block, source: entities.Source, table: str, sql: str) -> tuple[entities.Column, ...]:
        if self.ask is None or source.name in self.unreachable:
            block.sound = False
            return ()
        try:
            return self.ask(source, table, sql)
        except Unavailable as problem:
            self.unreachable.add(source.name)
            block.wrong("source", f"The source {source.name!r} can't be read now: {problem.message}")
        except Problem as problem:
            key = "sql" if sql else "table" if block.has("table") else "source"
            block.wrong(key, f"The source {source.name!r} refuses this: {problem.message}")
        return ()


def _shown(
    block: Block, columns: tuple[entities.Column, ...], key: str, stands: entities.Model | None
) -> tuple[entities.Column, ...]:
    """The columns as the file wants them shown; as they stand, where it says nothing of `columns`."""
    if not block.has("columns"):
        before = {column.origin or column.name: column for column in (stands.columns if stands else ())}
        return tuple(_like(column, before[column.name]) if column.name in before else column for column in columns)
    wanted = {}
    for one in block.blocks("columns", "A column"):
        name = one.name("from")
        called, used = one.name("as", required=False) or name, one.flag("used", True)
        given = entities.Column(name=called, type="", used=used, categorical=one.flag("categorical", False))
        if columns and name not in [column.name for column in columns]:
            one.wrong(
                "from", f"The model has no column {name!r}. It has: {', '.join(column.name for column in columns)}."
            )
        if name == key and (given.name != key or not given.used):
            one.wrong("from", "The primary key keeps its name, and is always used.")
        one.close()
        wanted[name] = given
    shown = tuple(_like(column, wanted[column.name]) if column.name in wanted else column for column in columns)
    twice = [name for name, times in Counter(column.name for column in shown).items() if times > 1]
    if twice:
        block.wrong("columns", f"Two columns would be called {twice[0]!r}.")
    return shown


def _like(column: entities.Column, shown: entities.Column) -> entities.Column:
    origin = column.name if shown.name != column.name else ""
    return replace(column, name=shown.name, origin=origin, used=shown.used, categorical=shown.categorical)


def file_table(source: entities.Source) -> str:
    """The one table of a source of files: the stem of its file. Empty for other sources."""
    return table_name(str(source.config.get("path") or "")) if source.engine in FILES else ""


def _table_or_sql(block: Block, source: entities.Source | None) -> tuple[str, str]:
    table = block.text("table", longest=TABLE_LENGTH)
    sql = block.text("sql", longest=SQL_LENGTH)
    if table and sql:
        block.wrong("sql", "Give a `table` or `sql`, not both.")
    if not table and not sql and source:
        table = file_table(source)
        if not table:
            block.problems.add(block.line, "A model of this source needs a `table` or `sql`.")
    return table, sql


def _same_key(block: Block, stands: entities.Model | None, key: str) -> None:
    if stands and key and stands.primary_key != key:
        block.wrong(
            "primary_key",
            f"The primary key of a model can't be changed: what was sent is remembered by {stands.primary_key!r}. Make a new model.",
        )
