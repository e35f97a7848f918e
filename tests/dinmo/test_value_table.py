"""One table says what is sent for a value, whatever engine it comes from."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from dinmo.docs import value_table
from dinmo.docs.value_table import CASES, TARGETS, sent
from segments.registry import engines
from segments.sql import statements
from tests.activations.planning import everywhere
from tests.segments.conftest import files, mysql, postgres, slug  # noqa: F401

PAGE = Path(__file__).resolve().parents[2] / "docs" / "values.md"


def test_page_is_generated_by_the_code_that_converts() -> None:
    assert PAGE.read_text("utf-8") == value_table.markdown(), "python -m dinmo.docs.value_table > docs/values.md"


def test_every_engine_sends_what_the_table_says(slug: str, files: Path) -> None:  # noqa: F811
    place, engine = everywhere.make(slug, files), engines[slug]
    with place.open() as reader:
        infos = {info.name: info for info in reader.columns(table=place.table)}
        source = statements.relation(list(infos.values()), engine.dialect, table=place.table)
        batch = pa.Table.from_batches(list(reader.batches(statements.select(source, infos, list(infos)))))
    names = [name for name in infos if name != "id"]
    assert len(names) >= len(everywhere.TEXT)
    row = batch.column("id").to_pylist().index(type(batch.column("id").to_pylist()[0])(1))
    for name in names:
        column = batch.column(name).combine_chunks().slice(row, 1)
        is_spelled = infos[name].type in engine.spells
        case = CASES[f"{name}_file" if is_spelled and f"{name}_file" in CASES else name]
        read = type(case)(case.label, infos[name].type, None, is_spelled)
        for label, target in TARGETS.items():
            assert sent(read, target, column) == sent(case, target), (name, label, infos[name].native)
