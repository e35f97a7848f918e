"""Lines of CSV files that are longer than DuckDB can read are reported, never lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.errors import Misconfigured
from segments.engines.duckdb.lines import LONGEST_LINE
from segments.models import Source
from segments.registry import engines
from segments.session import opened, reading_here
from segments.sql import statements

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("end", ["", "\n", "\n3,c\n"])
@pytest.mark.parametrize("bad_lines", ["refuse", "skip"])
def test_line_that_is_too_long_is_named_wherever_it_is(tmp_path: Path, settings: Any, end: str, bad_lines: str) -> None:
    """DuckDB alone would silently leave it out at the end of a file."""
    settings.SOURCE_FILES_ROOT = tmp_path
    (tmp_path / "names.csv").write_text(f"id,name\n1,a\n2,{'x' * (LONGEST_LINE + 20_000_000)}{end}")
    source = Source(engine="csv", config={"path": "names.csv", "bad_lines": bad_lines})
    if bad_lines == "refuse":
        with pytest.raises(Misconfigured, match=r"Line 3 of the file .* is too long"):
            count(source)
    else:
        assert count(source) == (1 + ("c" in end), 1)


def test_line_of_seven_million_characters_is_read(tmp_path: Path, settings: Any) -> None:
    settings.SOURCE_FILES_ROOT = tmp_path
    (tmp_path / "names.csv").write_text(f"id,name\n1,a\n2,{'x' * 7_500_000}\n3,c")
    assert count(Source(engine="csv", config={"path": "names.csv"})) == (3, 0)


def count(source: Source) -> tuple[int, int]:
    """How many rows a run reads, and how many lines it skips."""
    with reading_here(), opened(source, 60) as reader:
        table = reader.tables()[0]
        infos = {info.name: info for info in reader.columns(table=table)}
        relation = statements.relation(list(infos.values()), engines["csv"].dialect, table=table)
        rows = sum(batch.num_rows for batch in reader.batches(statements.select(relation, infos, list(infos))))
        return rows, reader.skipped.count
