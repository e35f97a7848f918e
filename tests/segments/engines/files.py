"""Source files for tests, and what is read from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.errors import Misconfigured
from segments.registry import engines
from segments.sql import statements
from segments.values import natural
from tests.segments.places import Place


def csv_file(files: Path, text: str | bytes, name: str = "file.csv", **settings: Any) -> Place:
    (files / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return Place("csv", Path(name).stem, {"path": name, **settings})


def types(place: Place) -> dict[str, str]:
    return {name: str(info.type) for name, info in place.columns().items()}


def values(place: Place, query: str = "") -> list[dict[str, Any]]:
    with place.open() as reader:
        infos = {info.name: info for info in reader.columns(**({"sql": query} if query else {"table": place.table}))}
        source = statements.relation(
            list(infos.values()), engines[place.slug].dialect, table="" if query else place.table, sql=query
        )
        rows = reader.rows(statements.select(source, infos, list(infos)), 1000)
    return [{name: natural(value, infos[name].type, ZoneInfo("UTC")) for name, value in row.items()} for row in rows]


def refusal(place: Place) -> Misconfigured:
    with pytest.raises(Misconfigured) as refused:
        values(place)
    return refused.value


def json_file(files: Path, *lines: str, name: str = "file.jsonl", encoding: str = "utf-8", **settings: Any) -> Place:
    (files / name).write_bytes(("\n".join(lines) + "\n").encode(encoding))
    return Place("jsonl", Path(name).stem, {"path": name, **settings})


def skipped(place: Place) -> list[str]:
    """The messages about the lines that were left out."""
    with place.open() as reader:
        columns = {info.name: info for info in reader.columns(table=place.table)}
        source = statements.relation(list(columns.values()), engines[place.slug].dialect, table=place.table)
        for _ in reader.batches(statements.select(source, columns, list(columns))):
            pass
        assert reader.skipped.count == len(reader.skipped.first)
        return [line.message for line in reader.skipped.first]
