"""JSON Lines files, with one object per line. The columns are all fields of all objects, wherever they first appear."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from core.errors import Misconfigured
from segments.contract import ColumnType, Engine, Reader
from segments.engines.declared_types import COLUMNS
from segments.engines.duckdb.column_types import JSON_MASK, Kind, json_kind_of
from segments.engines.duckdb.csv_layout import MAX_COLUMNS
from segments.engines.duckdb.dialect import COMPUTED, dialect
from segments.engines.duckdb.file_format import BAD_LINES, ENCODING, file_format
from segments.engines.duckdb.json_lines import bad_lines, has_lone_surrogates
from segments.engines.duckdb.lines import UTF_8, encoding_of, has_mark
from segments.engines.duckdb.session import locked_session, path_list, quote, quote_identifier
from segments.engines.duckdb.text import NOT_AN_OBJECT, REPEATED_KEY, TextReader
from segments.engines.paths import PATHS, resolve_all, table_name
from segments.sql.statements import is_of_sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa
    from sqlalchemy import Select

    from segments.contract import UnreadableLine

MAX_OBJECT_BYTES = 16 << 20
SAMPLE_OBJECTS = 20_000
"""Objects per file that are inspected before a query, if the fields of the files are not cached."""
MAX_SAMPLED_FILES = 100
"""If there are more files, all objects are inspected."""
FIELDS = """
    SELECT field FROM (
        SELECT unnest(keys) AS field, unnest(range(len(keys))) AS place, row
        FROM (SELECT json_keys(json) AS keys, row_number() OVER () AS row FROM ({objects}))
    ) GROUP BY field ORDER BY min(row), min(place)
"""


class JSONLines(Engine):
    slug = "jsonl"
    label = "JSON Lines files"
    summary = "A file with one JSON object per line."
    parameters = (PATHS, ENCODING, BAD_LINES, COLUMNS)
    dialect = dialect
    computed = COMPUTED
    signals_changes = True
    spells = frozenset({ColumnType.DATE, ColumnType.TIMESTAMP})
    endings = (".jsonl", ".ndjson", ".json")

    @contextmanager
    def open(self, settings: Mapping[str, Any], *, timeout_seconds: float) -> Iterator[Reader]:
        paths, form = resolve_all(settings["path"]), file_format(settings, self.parameters)
        with locked_session(paths) as (connection, files):
            yield JSONReader(connection, table_name(settings["path"]), files, form, timeout_seconds)


class JSONReader(TextReader):
    """A JSON string is text even if it looks like a number, but dates and times are recognized.

    A field with values of different types is text. Keys that differ only in case are one field, unless one object has
    several of them.
    """

    preferred: Sequence[str] = ()
    """The spellings that a model knows."""

    def names(self) -> Sequence[str]:
        return list(self.kinds())

    def natives(self, *, table: str = "", sql: str = "", expected: Iterable[str] = ()) -> dict[str, str]:
        """If the first objects have all expected fields, the rest is not read."""
        self.preferred = tuple(expected)
        required = set(self.preferred)
        if table == self.table and required and required <= set(fields := self._known_fields()):
            return dict.fromkeys(fields, self.native)
        return super().natives(table=table, sql=sql)

    def batches(self, query: Select[Any]) -> Iterator[pa.RecordBatch]:
        if not is_of_sql(query):
            self._create_view(self._known_fields())
        return super().batches(query)

    def create_typed_view(self) -> None:
        self._create_view(self.names())
        super().create_typed_view()

    def masks(self) -> dict[str, int | None]:
        fields = self._fields(self._all_objects())
        if not fields:
            raise Misconfigured(
                "source_file_broken", "The file has no objects. Each line must be one object in braces.", where="path"
            )
        pointers = _pointers(fields)
        expressions = {
            name: JSON_MASK.format(type=f"types[{place}]", column=f"texts[{place}]")
            for place, name in enumerate(fields, start=1)
        }
        objects = self._checked_objects(fields)
        values = f"SELECT json_type(json, {pointers}) AS types, json_extract_string(json, {pointers}) AS texts"
        return self.kind_masks(expressions, f"({values} FROM ({objects}))")

    def kind(self, mask: int | None) -> Kind:
        return json_kind_of(mask)

    def needs_copy(self, path: Path) -> bool:
        return self.form.skips_bad_lines or self._encoding(path) != UTF_8 or has_mark(path) or has_lone_surrogates(path)

    def bad_lines(self, path: Path, copy: Path | None = None) -> Iterator[UnreadableLine]:
        return bad_lines(
            path, encoding=self._encoding(path), chosen=self.form.encoding, check=self.check_time, copy=copy
        )

    def _encoding(self, path: Path) -> str:
        return encoding_of(path, self.form.encoding)

    def _known_fields(self) -> Sequence[str]:
        """The fields of all objects if they are cached, otherwise those of the first objects."""
        return self._spelled(self.cached_kinds() or self._sampled_fields)

    @cached_property
    def _sampled_fields(self) -> list[str]:
        opened = list(self.prepare().values())
        if len(opened) > MAX_SAMPLED_FILES:
            return self._fields(self._all_objects())
        samples = [f"(FROM ({_objects([path])}) LIMIT {SAMPLE_OBJECTS})" for path in opened]
        return self._fields(" UNION ALL ".join(samples))

    def _all_objects(self) -> str:
        return _objects(list(self.prepare().values()))

    def _fields(self, objects: str) -> list[str]:
        """The fields of objects in the order in which they first appear. A field without a name is left out."""
        found = [name for (name,) in self.fetch_all(FIELDS.format(objects=objects)) if name]
        if len(found) > MAX_COLUMNS:
            message = f"The objects have {len(found):,} different fields. At most {MAX_COLUMNS:,} are allowed."
            raise Misconfigured("source_too_large", message, where="path")
        return self._spelled(found)

    def _spelled(self, fields: Iterable[str]) -> list[str]:
        """Each field in one spelling: the one that the model knows, otherwise the first one."""
        known = {name.lower(): name for name in self.preferred}
        spellings: dict[str, list[str]] = {}
        for name in fields:
            spellings.setdefault(name.lower(), []).append(name)
        return [known[key] if known.get(key) in names else names[0] for key, names in spellings.items()]

    def _create_view(self, names: Sequence[str]) -> None:
        values = f"SELECT json_extract_string(json, {_pointers(names)}) AS texts FROM ({self._checked_objects(names)})"  # noqa: S608
        columns = ", ".join(
            f"{self.exported(name, f'texts[{place}]')} AS {quote_identifier(name)}"
            for place, name in enumerate(names, start=1)
        )
        self.fetch_one(f"CREATE OR REPLACE VIEW {self.source} AS SELECT {columns} FROM ({values})")  # noqa: S608

    def _checked_objects(self, fields: Sequence[str]) -> str:
        """The query that reads the objects, with each field in the given spelling.

        Raises an error of DuckDB for a line that is not an object, or that has a field twice.
        """
        known = f"[{', '.join(map(quote, fields))}]"
        spellings = f"map([{', '.join(quote(name.lower()) for name in fields)}], {known})"
        respelled = f"""to_json(map_from_entries(list_transform(map_entries(json::MAP(VARCHAR, JSON)),
            lambda entry: {{'k': coalesce({spellings}[lower(entry.key)], entry.key), 'v': entry.value}})))"""
        # Most objects have exactly the known fields, and need no further check.
        return f"""SELECT CASE
            WHEN keys = {known} AND len(keys) > 0 THEN json
            WHEN len(list_distinct(list_transform(keys, lambda key: lower(key)))) < len(keys)
                THEN error('{REPEATED_KEY}')
            WHEN len(keys) = 0 AND json_type(json) <> 'OBJECT' THEN error('{NOT_AN_OBJECT}')
            WHEN list_has_all({known}, keys) THEN json
            WHEN len(list_filter(keys, lambda key: coalesce({spellings}[lower(key)] <> key, false))) = 0 THEN json
            ELSE {respelled} END AS json FROM (SELECT json, json_keys(json) AS keys FROM ({self._all_objects()}))"""  # noqa: S608


def _objects(paths: Sequence[Path]) -> str:
    """The query that reads each line of the files as one JSON document."""
    return f"SELECT json FROM read_ndjson_objects({path_list(paths)}, maximum_object_size = {MAX_OBJECT_BYTES})"  # noqa: S608


def _pointers(fields: Sequence[str]) -> str:
    """The JSON pointers to fields, as an SQL list."""
    return f"[{', '.join(quote('/' + name.replace('~', '~0').replace('/', '~1')) for name in fields)}]"
