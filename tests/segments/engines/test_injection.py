"""No name and no value can change a query, on any engine."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segments.conditions import parsing
from segments.contract import ColumnInfo, ColumnType
from segments.registry import engines
from segments.sql import statements
from segments.values import natural
from tests.segments.places import make

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 3, 31, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")
COLUMNS = {"id": "integer", "name": "text"}
# MySQL allows no four-byte characters in names.
NAME_PIECES = [
    "'",
    '"',
    "`",
    ";",
    "--",
    "/*",
    "*/",
    "%",
    "%s",
    "%(x)s",
    "%%",
    "\\",
    "$1",
    "$$",
    ":x",
    "?",
    "{0}",
    ")",
    "(",
    "select",
    "é",
    "日",
    " ",
]
PIECES = [*NAME_PIECES, "\n", "👍🏽"]
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=4)
VALUES = st.lists(st.sampled_from(PIECES) | ANY_TEXT, max_size=5).map("".join)
NAMES = st.lists(st.sampled_from([*NAME_PIECES, *"abcXYZ_.1"]), min_size=1, max_size=5).map(
    lambda parts: f"n{''.join(parts).rstrip()}n"
)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(name=NAMES, second_name=NAMES, stored=st.lists(VALUES, min_size=1, max_size=4), operand=VALUES)
def test_no_name_and_no_value_changes_a_query(
    name: str, second_name: str, stored: list[str], operand: str, slug: str, files: Path
) -> None:
    names = list({column.lower(): column for column in ("id", name[:30], f"{second_name[:30]}2")}.values())
    rows = [{"id": number, **dict.fromkeys(names[1:], value)} for number, value in enumerate([*stored, operand])]
    place = make(slug, files, "fuzz", {column: "integer" if column == "id" else "text" for column in names}, rows)
    kinds = {column: ColumnType.INTEGER if column == "id" else ColumnType.TEXT for column in names}
    with place.open() as reader:
        infos = {
            info.name: ColumnInfo(info.name, kinds[info.name], info.native)
            for info in reader.columns(table=place.table)
        }
        assert list(infos) == names
        source = statements.relation(list(infos.values()), engines[slug].dialect, table=place.table)

        def matching(**condition: Any) -> set[int]:
            tree = parsing.parse({"all": [{"field": names[1], **condition}]}, kinds)
            where = statements.where(tree, source, infos, now=NOW, zone=UTC_ZONE)
            query = statements.select(source, infos, names, where)
            ids = [natural(row["id"], ColumnType.INTEGER, UTC_ZONE) for row in reader.rows(query, 100)]
            statements.literal_sql(query, engines[slug].dialect)
            return set(ids)

        texts = {number: str(row[names[1]]) for number, row in enumerate(rows)}
        if operand.strip():
            tree = parsing.parse({"all": [{"field": names[1], "is": "equals", "value": operand}]}, kinds)
            (leaf,) = parsing.leaves(tree)
            value = str(leaf.value)
            assert matching(**{"is": "equals", "value": operand}) == {
                number for number, text in texts.items() if text == value
            }
            assert matching(**{"is": "contains", "value": operand}) == {
                number for number, text in texts.items() if value in text
            }
            assert matching(**{"is": "starts_with", "value": operand}) == {
                number for number, text in texts.items() if text.startswith(value)
            }
            assert matching(**{"is": "none_of", "value": [operand, "x"]}) == {
                number for number, text in texts.items() if text not in (value, "x")
            }


def test_list_of_ten_thousand_values_can_be_looked_up(slug: str, files: Path) -> None:
    wanted = [f"it's {number} %s" for number in range(10_000)]
    place = make(
        slug,
        files,
        "long_list",
        COLUMNS,
        [{"id": number, "name": f"it's {number} %s"} for number in (0, 9_999, 10_000)],
    )
    with place.open() as reader:
        infos = {info.name: info for info in reader.columns(table=place.table)}
        source = statements.relation(list(infos.values()), engines[slug].dialect, table=place.table)
        for operator, expected in (("one_of", [0, 9_999]), ("none_of", [10_000])):
            tree = parsing.parse(
                {"all": [{"field": "name", "is": operator, "value": wanted}]}, {"id": "integer", "name": "text"}
            )
            query = statements.select(
                source, infos, ["id"], statements.where(tree, source, infos, now=NOW, zone=UTC_ZONE)
            )
            assert sorted(int(row["id"]) for row in reader.rows(query, 10)) == expected
        tree = parsing.parse(
            {"all": [{"field": "id", "is": "one_of", "value": list(range(1, 10_001))}]}, {"id": "integer"}
        )
        query = statements.select(source, infos, ["id"], statements.where(tree, source, infos, now=NOW, zone=UTC_ZONE))
        assert sorted(int(row["id"]) for row in reader.rows(query, 10)) == [9_999, 10_000]
