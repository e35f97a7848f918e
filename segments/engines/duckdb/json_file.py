"""JSON Lines files, with one object per line. The columns are all fields of all objects, wherever they first appear."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from core.errors import Misconfigured
from segments.contract import ColumnType, Engine, Reader
from segments.engines.duckdb.column_types import TIME_KIND_MASK, Kind, kind_of, native_type
from segments.engines.duckdb.dialect import COMPUTED, TEXT, dialect
from segments.engines.duckdb.session import locked_session, path_list, quote
from segments.engines.duckdb.text import TextReader
from segments.engines.paths import PATHS, resolve_all, table_name
from segments.sql.statements import is_of_sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa
    from sqlalchemy import Select

MAX_OBJECT_BYTES = 16 << 20
SAMPLE_OBJECTS = 20_000
"""Objects per file that are inspected before a query, if the fields of the files are not cached."""
OBJECT, LIST = Kind(ColumnType.OBJECT, "JSON"), Kind(ColumnType.LIST, "JSON")
NUMBERS = {
    ColumnType.INTEGER: Kind(ColumnType.INTEGER, "HUGEINT"),
    ColumnType.NUMBER: Kind(ColumnType.NUMBER, "DOUBLE"),
}
BOOLEAN = Kind(ColumnType.BOOLEAN, "BOOLEAN")
_NESTED_MASK = (
    "coalesce(bool_and(json_type({column}) = 'OBJECT'), false)::INT"
    " + 2 * coalesce(bool_and(json_type({column}) = 'ARRAY'), false)::INT"
)
"""1 if all values of a column are objects, 2 if all are lists, otherwise 0."""


class JSONLines(Engine):
    slug = "jsonl"
    label = "JSON Lines files"
    parameters = (PATHS,)
    dialect = dialect
    computed = COMPUTED
    spells = frozenset({ColumnType.DATE, ColumnType.TIMESTAMP})
    endings = (".jsonl", ".ndjson", ".json")

    @contextmanager
    def open(self, settings: Mapping[str, Any], *, timeout_seconds: float) -> Iterator[Reader]:
        paths = resolve_all(settings["path"])
        with locked_session(paths) as connection:
            yield JSONReader(connection, table_name(settings["path"]), paths, timeout_seconds)


class JSONReader(TextReader):
    """A JSON string is text even if it looks like a number, but dates and times are recognized.

    A field with values of different types is text.
    """

    def names(self) -> Sequence[str]:
        return list(self.kinds())

    def natives(self, *, table: str = "", sql: str = "", expected: Iterable[str] = ()) -> dict[str, str]:
        """If the first objects have all expected fields, the rest is not read."""
        required = set(expected)
        if table == self.table and required and required <= set(fields := self._known_fields()):
            return dict.fromkeys(fields, TEXT)
        return super().natives(table=table, sql=sql)

    def batches(self, query: Select[Any]) -> Iterator[pa.RecordBatch]:
        if not is_of_sql(query):
            self._create_view(self._known_fields())
        return super().batches(query)

    def create_typed_view(self) -> None:
        self._create_view(self.names())
        super().create_typed_view()

    def _known_fields(self) -> Sequence[str]:
        """The fields of all objects if they are cached, otherwise those of the first objects."""
        return list(self.cached_kinds() or self._sampled_types)

    @cached_property
    def _sampled_types(self) -> dict[str, str]:
        return self._inferred_types(SAMPLE_OBJECTS)

    def _create_view(self, names: Sequence[str]) -> None:
        self.fetch_one(f"CREATE OR REPLACE VIEW {self.source} AS FROM {self._read_json(dict.fromkeys(names, TEXT))}")

    def _inferred_types(self, objects: int) -> dict[str, str]:
        """DuckDB's types of the fields of each file's first objects.

        Args:
            objects: how many objects of each file are inspected, or -1 for all.
        """
        return {
            name: column_type
            for name, column_type, *_ in self.fetch_all(f"DESCRIBE FROM {self._read_json({}, objects)}")
        }

    def _read_json(self, columns: Mapping[str, str], sample: int = -1) -> str:
        """The table function that reads the files.

        Args:
            columns: the fields to read and their types. If empty, all fields are read with inferred types.
            sample: how many objects of each file the inference inspects, or -1 for all.
        """
        typed = ", ".join(f"{quote(name)}: {quote(column_type)}" for name, column_type in columns.items())
        schema = f"columns = {{{typed}}}" if typed else f"sample_size = {sample}, union_by_name = true"
        size = f"maximum_object_size = {MAX_OBJECT_BYTES}"
        return f"read_json({path_list(self.paths)}, format = 'newline_delimited', {size}, {schema})"

    def infer_kinds(self) -> dict[str, Kind]:
        types = self._inferred_types(-1)
        self._require_objects(types)
        kinds = {name: _declared_kind(column_type) for name, column_type in types.items()}
        mixed = [name for name, column_type in types.items() if column_type == "JSON"]
        texts = [name for name, kind in kinds.items() if kind is None and name not in mixed]
        nested = self.kind_masks(mixed, self._read_json(dict.fromkeys(mixed, "JSON")), _NESTED_MASK)
        times = self.kind_masks(texts, self._read_json(dict.fromkeys(texts, TEXT)), TIME_KIND_MASK)
        return {
            name: kind or {1: OBJECT, 2: LIST}.get(nested.get(name) or 0) or kind_of(times.get(name))
            for name, kind in kinds.items()
        }

    def _require_objects(self, types: Mapping[str, str]) -> None:
        # For lines that are not objects, DuckDB infers a single column "json". But objects can have such a field too.
        files = self._read_json({"json": "JSON"})
        all_objects = f"SELECT coalesce(bool_and(json_type(json) = 'OBJECT'), false) FROM {files}"  # noqa: S608
        if not types or (list(types) == ["json"] and not self.fetch_one(all_objects)[0]):
            raise Misconfigured(
                "source_file_broken", "The file has no objects. Each line must be one object in braces.", where="path"
            )


def _declared_kind(native: str) -> Kind | None:
    """The kind of a field by its inferred type, or None if its values decide."""
    column_type = native_type(native)
    if native == "JSON":
        return None
    return {ColumnType.OBJECT: OBJECT, ColumnType.LIST: LIST, ColumnType.BOOLEAN: BOOLEAN, **NUMBERS}.get(column_type)
