"""JSON lines: each line one object. Its fields are the columns, wherever in the files they first appear."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from core.errors import Misconfigured
from segments.contract import ColumnType, Engine, Reader
from segments.engines.duckdb.column_types import TIME_KINDS, Kind, kind, native_type
from segments.engines.duckdb.dialect import COMPUTED, TEXT, dialect
from segments.engines.duckdb.session import listed, locked, quoted
from segments.engines.duckdb.text import TextReader
from segments.engines.paths import PATHS, several, table_name
from segments.sql.statements import is_of_sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa
    from sqlalchemy import Select

LARGEST_OBJECT = 16 << 20
FIRST_OBJECTS = 20_000
"""Of a file whose fields are known, these are looked at before it is read."""
OBJECT, LIST = Kind(ColumnType.OBJECT, "JSON"), Kind(ColumnType.LIST, "JSON")
NUMBERS = {
    ColumnType.INTEGER: Kind(ColumnType.INTEGER, "HUGEINT"),
    ColumnType.NUMBER: Kind(ColumnType.NUMBER, "DOUBLE"),
}
BOOLEAN = Kind(ColumnType.BOOLEAN, "BOOLEAN")
_IS_NESTED = "coalesce(bool_and(json_type({column}) = 'OBJECT'), false)::INT + 2 * coalesce(bool_and(json_type({column}) = 'ARRAY'), false)::INT"


class JSONLines(Engine):
    slug = "jsonl"
    label = "JSON lines files"
    parameters = (PATHS,)
    dialect = dialect
    computed = COMPUTED
    endings = (".jsonl", ".ndjson", ".json")

    @contextmanager
    def open(self, settings: Mapping[str, Any], *, timeout_seconds: float) -> Iterator[Reader]:
        paths = several(settings["path"])
        with locked(paths) as connection:
            yield JSONReader(connection, table_name(settings["path"]), paths, timeout_seconds)


class JSONReader(TextReader):
    """A text of JSON is text, also where it looks like a number; or a date or time. Fields that hold many things are text, too."""

    def names(self) -> Sequence[str]:
        return list(self.kinds())

    def natives(self, *, table: str = "", sql: str = "", expected: Iterable[str] = ()) -> dict[str, str]:
        """Where the first objects have all that is expected, the others are not looked at."""
        wanted = set(expected)
        if table == self.table and wanted and wanted <= set(met := self._met()):
            return dict.fromkeys(met, TEXT)
        return super().natives(table=table, sql=sql)

    def batches(self, query: Select[Any]) -> Iterator[pa.RecordBatch]:
        if not is_of_sql(query):
            self._view(self._met())
        return super().batches(query)

    def give_types(self) -> None:
        self._view(self.names())
        super().give_types()

    def _met(self) -> Sequence[str]:
        """The fields of all objects where these are known, else those of the first ones."""
        return list(self.known_kinds() or self.first)

    @cached_property
    def first(self) -> dict[str, str]:
        return self._looks(FIRST_OBJECTS)

    def _view(self, names: Sequence[str]) -> None:
        self.asked(f"CREATE OR REPLACE VIEW {self.source} AS FROM {self.read(dict.fromkeys(names, TEXT))}")

    def _looks(self, objects: int) -> dict[str, str]:
        """DuckDB's types of the fields of so many objects of each file, -1 for all."""
        return {
            name: column_type for name, column_type, *_ in self.all_asked(f"DESCRIBE FROM {self.read({}, objects)}")
        }

    def read(self, columns: Mapping[str, str], sample: int = -1) -> str:
        """What reads these fields as these types; where none is given all fields of so many objects of each file, as they look."""
        given = ", ".join(f"{quoted(name)}: {quoted(column_type)}" for name, column_type in columns.items())
        how = f"columns = {{{given}}}" if given else f"sample_size = {sample}, union_by_name = true"
        return f"read_json({listed(self.paths)}, format = 'newline_delimited', maximum_object_size = {LARGEST_OBJECT}, {how})"

    def shown_kinds(self) -> dict[str, Kind]:
        looks = self._looks(-1)
        self._refuse_other_than_objects(looks)
        kinds = {name: _kind(column_type) for name, column_type in looks.items()}
        mixed = [name for name, column_type in looks.items() if column_type == "JSON"]
        texts = [name for name, found in kinds.items() if found is None and name not in mixed]
        nested = self.masks(mixed, self.read(dict.fromkeys(mixed, "JSON")), _IS_NESTED)
        times = self.masks(texts, self.read(dict.fromkeys(texts, TEXT)), TIME_KINDS)
        return {
            name: found or {1: OBJECT, 2: LIST}.get(nested.get(name) or 0) or kind(times.get(name))
            for name, found in kinds.items()
        }

    def _refuse_other_than_objects(self, looks: Mapping[str, str]) -> None:
        whole = f"SELECT coalesce(bool_and(json_type(json) = 'OBJECT'), false) FROM {self.read({'json': 'JSON'})}"  # noqa: S608
        # This is also how lines look that are no objects.
        if not looks or (list(looks) == ["json"] and not self.asked(whole)[0]):
            raise Misconfigured(
                "source_file_broken", "The file has no objects. Each line must be one object in braces.", where="path"
            )


def _kind(native: str) -> Kind | None:
    """The kind of a field by how it looks; None where its values must tell."""
    column_type = native_type(native)
    if native == "JSON":
        return None
    return {ColumnType.OBJECT: OBJECT, ColumnType.LIST: LIST, ColumnType.BOOLEAN: BOOLEAN, **NUMBERS}.get(column_type)
