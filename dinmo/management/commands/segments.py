"""`manage.py segments count|preview|sql NAME`: the rows of a segment, and the SQL query that selects them."""

from __future__ import annotations

import json
import sys
from datetime import date, time
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from core.commands import ScriptedCommand
from core.errors import Misconfigured, Problem
from segments.models import Segment
from segments.reading import read

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Mapping, Sequence

USAGE_ERROR, SOURCE_ERROR = 64, 2
"""Exit codes: invalid usage or configuration; the source can't be read right now."""
MAX_CELL_WIDTH = 40


class Command(ScriptedCommand):
    help = "Shows the number of rows in a segment, its first rows, or the SQL query that selects them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=sorted(_ANSWERS))
        parser.add_argument("name", help="The name of the segment.")
        parser.add_argument("--json", action="store_true", help="Write the result as JSON.")
        parser.add_argument("--limit", type=int, default=20, help="The number of rows in a preview (default: 20).")

    def handle(self, *args: Any, what: str, name: str, json: bool, limit: int, **options: Any) -> None:
        try:
            answer = _ANSWERS[what](_segment(name), limit)
        except Problem as problem:
            self.stderr.write(problem.message)
            sys.exit(USAGE_ERROR if isinstance(problem, Misconfigured) else SOURCE_ERROR)
        self.stdout.write(_as_json({"segment": name, **answer}) if json else _as_text(answer))


def _segment(name: str) -> Segment:
    segment = Segment.objects.select_related("model__source").filter(name=name).first()
    if segment is None:
        known = ", ".join(Segment.objects.values_list("name", flat=True)) or "none"
        raise Misconfigured("segment_unknown", f"There is no segment named {name!r}. Existing segments: {known}.")
    return segment


def _count(segment: Segment, _limit: int) -> dict[str, Any]:
    return {"count": read.count(read.selection(segment), now=timezone.now())}


def _preview(segment: Segment, limit: int) -> dict[str, Any]:
    if limit < 1:
        raise Misconfigured("limit_invalid", "--limit must be 1 or more.")
    rows = list(read.preview(read.selection(segment), now=timezone.now(), limit=limit))
    columns = list(rows[0]) if rows else list(segment.model.column_types())
    return {"columns": columns, "rows": rows}


def _sql(segment: Segment, _limit: int) -> dict[str, Any]:
    return {"sql": read.sql(read.selection(segment), now=timezone.now())}


_ANSWERS = {"count": _count, "preview": _preview, "sql": _sql}


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _as_text(answer: Mapping[str, Any]) -> str:
    if "rows" in answer:
        return _table(answer["columns"], answer["rows"])
    return str(answer["count"] if "count" in answer else answer["sql"])


def _table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    lines = [list(map(_cell, columns)), *([_cell(row[name]) for name in columns] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _cell(value: Any) -> str:
    """The value on one line, without characters that would move the cursor of a terminal."""
    nested = isinstance(value, bool | list | dict)
    text = "NULL" if value is None else _as_json(value) if nested else str(_plain(value))
    text = "".join(character if character.isprintable() else " " for character in text)
    return text if len(text) <= MAX_CELL_WIDTH else text[: MAX_CELL_WIDTH - 1] + "…"


def _plain(value: Any) -> Any:
    if isinstance(value, date | time):
        return value.isoformat()
    return f"{len(value)} bytes" if isinstance(value, bytes) else str(value)
