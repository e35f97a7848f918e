"""Every engine finds the rows that a reference implementation of the conditions in plain Python finds."""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segments.conditions import computed_fields, parsing
from segments.conditions.operands import EMPTINESS
from segments.conditions.scope import Definition, Link, ModelScope
from segments.conditions.times import Duration
from segments.conditions.tree import NEGATIVE
from segments.contract import ColumnInfo, ColumnType, Reader
from segments.registry import engines
from segments.sql import statements
from segments.sql.comparisons import Clock
from segments.sql.computed_columns import with_computed
from segments.sql.where import Reach, Table
from segments.values import natural
from tests.segments.places import ANSWERS, SLUGS, make

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 3, 31, 10, 30, tzinfo=UTC)
COLUMNS = {
    "id": "integer",
    "name": "text",
    "seats": "integer",
    "mrr": "number",
    "active": "boolean",
    "signed_on": "date",
    "seen_at": "timestamp",
    "paid_at": "timestamptz",
    "owner": "integer",
}
TEXTS = [
    None,
    "",
    " ",
    "FR",
    "fr",
    "FR ",
    "DE",
    "100%",
    "a_b",
    "O'Brien",
    '"q"',
    "é",
    "e\u0301",
    "日本",
    "👍🏽x",
    "x\ny",
    ",;\\",
    "null",
    "5",
]
SEATS = [None, 0, -1, 5, 100, 2**53 + 1, 10**17]
MRR = [None, 0.0, 0.1, -2.5, 19.99, 1e6, 3.0, 1e-5]
DATES = [
    None,
    date(1970, 1, 1),
    date(2004, 2, 29),
    date(2019, 4, 2),
    date(2026, 2, 28),
    date(2026, 3, 29),
    date(2026, 3, 31),
    date(2026, 4, 1),
    date(9999, 12, 31),
]
TIMES = [
    None if text is None else datetime.fromisoformat(text)
    for text in (
        None,
        "1999-12-31 23:59:59.999999",
        "2016-03-31 22:30",
        "2026-03-29 00:00",
        "2026-03-30 12:30",
        "2026-03-31 12:30",
        "2026-03-31 12:30:00.000001",
        "2026-03-31 23:59:59.999999",
        "2026-04-02 08:15:30.500000",
        "9999-12-31 00:00",
    )
]
# MySQL timestamps end in January 2038.
ZONED = [value and value.replace(tzinfo=UTC, year=min(value.year, 2037)) for value in TIMES]
ROWS: list[dict[str, Any]] = [
    {
        "id": number,
        "name": TEXTS[number % len(TEXTS)],
        "seats": SEATS[number % len(SEATS)],
        "mrr": MRR[number % len(MRR)],
        "active": (None, True, False)[number % 3],
        "signed_on": DATES[number * 3 % len(DATES)],
        "seen_at": TIMES[number * 5 % len(TIMES)],
        "paid_at": ZONED[number * 3 % len(ZONED)],
        "owner": None if number % 4 == 0 else number * 7 % 23,
    }
    for number in range(60)
]
TYPES = {name: ColumnType.TIMESTAMP if kind == "timestamptz" else ColumnType(kind) for name, kind in COLUMNS.items()}

# Two models of the same rows, related in both directions: each row has an owner, and an owner has rows.
TYPED = {name: str(type) for name, type in TYPES.items()}
SMALL = Definition(
    {"any": [{"field": "seats", "is": "at_most", "value": 5}, {"field": "name", "is": "equals", "value": "FR"}]}
)
TOP = Definition(
    {"all": [{"field": "active", "is": "equals", "value": True}]}, {"rows": 9, "order_by": "mrr", "descending": True}
)
NESTED = Definition({"all": [{"segment": "Small", "is": "not_member"}, {"field": "mrr", "is": "not_empty"}]})
SCOPES: dict[str, ModelScope] = {}
SCOPES["Rows"] = ModelScope(
    TYPED,
    "Rows",
    (Link("Others", "id", "owner", "Others.owner"), Link("Others", "owner", "id", "Rows.owner", many=False)),
    {"Small": SMALL, "Top": TOP, "Nested": NESTED},
    SCOPES,
)
SCOPES["Others"] = ModelScope(TYPED, "Others", (Link("Rows", "owner", "id", "Others.owner", many=False),), {}, SCOPES)

Open = list[tuple[str, Reader, dict[str, ColumnInfo], str]]


@pytest.fixture(scope="module")
def everywhere(files: Path, request: pytest.FixtureRequest) -> Iterator[Open]:
    """The rows in every available engine, each with an open session."""
    slugs = [slug for slug in SLUGS if slug not in ANSWERS or ANSWERS[slug]()]
    for server in ANSWERS.keys() & slugs:
        request.getfixturevalue(server)
    with ExitStack() as stack:
        opened: Open = []
        for slug in slugs:
            place = make(slug, files, "agreement", COLUMNS, ROWS)
            reader = stack.enter_context(place.open())
            opened.append((slug, reader, {info.name: info for info in reader.columns(table=place.table)}, place.table))
        yield opened


def matching(where: Mapping[str, Any], everywhere: Open) -> dict[str, set[int]]:
    """Engine → the IDs of the rows that it finds."""
    tree = parsing.parse(where, SCOPES["Rows"])
    answers = {}
    for slug, reader, infos, table in everywhere:
        reach = reach_in(slug, infos, table)
        source = reach("Rows", []).source
        query = statements.select(
            source, infos, ["id"], statements.where(tree, source, infos, now=NOW, zone=PARIS, reach=reach)
        )
        answers[slug] = {int(value) for batch in reader.batches(query) for value in batch.column(0).to_pylist()}
    return answers


def reach_in(slug: str, infos: dict[str, ColumnInfo], table: str, scope: ModelScope = SCOPES["Rows"]) -> Reach:
    """Returns the table of either model in one engine; the table of `Rows` has the computed fields of `scope`."""

    def reach(name: str, columns: Iterable[str]) -> Table:
        plain = Table(statements.relation(list(infos.values()), engines[slug].dialect, table=table), infos, "id")
        formulas = computed_fields.formulas(scope, columns) if name == "Rows" else {}
        return with_computed(plain, formulas, engines[slug].computed, Clock(NOW, PARIS), reach)

    return reach


def test_every_engine_reports_the_same_column_types(everywhere: Open) -> None:
    for slug, _, infos, _ in everywhere:
        assert {name: info.type for name, info in infos.items()} == TYPES, slug


# The reference implementation, which does not use SQL.


def matches(tree: parsing.Item, row: Mapping[str, Any]) -> bool:
    if isinstance(tree, parsing.Group):
        answers = [matches(item, row) for item in tree.items]
        return all(answers) if tree.combine == "all" or not answers else any(answers)
    if isinstance(tree, parsing.Member):
        return (row["id"] in members(tree)) == (tree.operator == "member")
    if isinstance(tree, parsing.Related):
        return relates(tree, row)
    value, operand = row[tree.field], tree.value
    if tree.operator in EMPTINESS:
        return (value is None or value == "") == (tree.operator == "empty")
    negative = NEGATIVE.get(tree.operator)
    if value is None:
        return negative is not None
    if negative:
        return not compares(negative, value, operand)
    return compares(tree.operator, value, operand)


def members(item: parsing.Member) -> set[int]:
    assert item.tree is not None
    within = [row for row in ROWS if matches(item.tree, row)]
    if limit := item.limit:
        by = limit.order_by
        filled = sorted((row for row in within if row[by] is not None), key=lambda row: row["id"])
        filled.sort(key=lambda row: row[by], reverse=limit.descending)
        within = [*filled, *(row for row in within if row[by] is None)][: limit.rows]
    return {row["id"] for row in within}


def relates(item: parsing.Related, row: Mapping[str, Any]) -> bool:
    others = related_rows(item, row)
    if item.measure == "count":
        count, wanted = len(others), item.value or 0
        return {"at_least": count >= wanted, "at_most": count <= wanted}.get(item.operator, count == wanted)
    values = [other[item.column] for other in others if other[item.column] is not None]
    value = measure(item.measure, values)
    if item.operator in EMPTINESS:
        return (value is None) == (item.operator == "empty")
    if value is None:
        return item.operator in NEGATIVE
    return compares(NEGATIVE.get(item.operator, item.operator), value, item.value) != (item.operator in NEGATIVE)


def related_rows(item: parsing.Related, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    assert item.link is not None
    own = row[item.link.own]
    return [other for other in ROWS if own is not None and other[item.link.other] == own and matches(item.where, other)]


def measure(name: str, values: list[Any]) -> Any:
    if name in ("sum", "average"):
        total = sum((Decimal(repr(value)) for value in values), Decimal(0))
        return round(total, 6) if name == "sum" else round(total / len(values), 6) if values else None
    return (min if name == "min" else max)(values, default=None)


def compares(operator: str, value: Any, operand: Any) -> bool:
    if isinstance(value, date):
        return is_within(operator, value, operand)
    if isinstance(value, Decimal):
        operand = (
            tuple(Decimal(str(bound)) for bound in operand) if isinstance(operand, tuple) else Decimal(str(operand))
        )
    elif isinstance(value, float):
        operand = tuple(map(float, operand)) if isinstance(operand, tuple) else float(operand)
    return {
        "equals": lambda: value == operand,
        "one_of": lambda: value in operand,
        "contains": lambda: operand in value,
        "starts_with": lambda: value.startswith(operand),
        "ends_with": lambda: value.endswith(operand),
        "greater_than": lambda: value > operand,
        "at_least": lambda: value >= operand,
        "less_than": lambda: value < operand,
        "at_most": lambda: value <= operand,
        "between": lambda: operand[0] <= value <= operand[1],
    }[operator]()


def is_within(operator: str, value: date, operand: Any) -> bool:
    """Compares local time in Paris, to the microsecond; a date means the whole day."""
    here = NOW.astimezone(PARIS).replace(tzinfo=None)
    if isinstance(value, datetime) and value.tzinfo:
        # The last hours of the year 9999 in UTC have no local time in Paris.
        value = datetime.max if value.year == 9999 else value.astimezone(PARIS).replace(tzinfo=None)  # noqa: DTZ901
    if operator in ("anniversary", "anniversary_in"):
        return is_anniversary(value, here.date(), (shifted(here, operand, 1) if operand else here).date())
    if isinstance(operand, Duration):
        return is_within_duration(operator, value, operand, here)
    first, last = operand if isinstance(operand, tuple) else (operand, operand)
    if not isinstance(value, datetime):
        return {
            "on": value == first,
            "before": value < first,
            "after": value > last,
            "between": first <= value <= last,
        }[operator]
    begin, end = start(first), finish(last)
    return {
        "on": begin <= value <= end,
        "before": value < begin,
        "after": value > end,
        "between": begin <= value <= end,
    }[operator]


def is_within_duration(operator: str, value: date, length: Duration, here: datetime) -> bool:
    back, ahead = shifted(here, length, -1), shifted(here, length, 1)
    if not isinstance(value, datetime):
        first, today, last = back.date(), here.date(), ahead.date()
        return {
            "in_the_last": first <= value <= today,
            "in_the_next": today <= value <= last,
            "more_than_ago": value < first,
        }[operator]
    return {"in_the_last": back <= value <= here, "in_the_next": here <= value <= ahead, "more_than_ago": value < back}[
        operator
    ]


def is_anniversary(value: date, first: date, last: date) -> bool:
    """Whether a day from `first` to `last` is an anniversary of a date in an earlier year."""
    day = value.date() if isinstance(value, datetime) else value
    return any(first <= of_year(day, year) <= last for year in range(max(day.year + 1, first.year), last.year + 1))


def of_year(day: date, year: int) -> date:
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


def shifted(here: datetime, length: Duration, sign: int) -> datetime:
    if length.unit != "month":
        return here + sign * timedelta(**{f"{length.unit}s": length.count})
    months = here.year * 12 + here.month - 1 + sign * length.count
    for day in range(here.day, 0, -1):
        try:
            return here.replace(year=months // 12, month=months % 12 + 1, day=day)
        except ValueError:
            continue
    raise AssertionError(length)


def start(value: date) -> datetime:
    if isinstance(value, datetime):
        return value.astimezone(PARIS).replace(tzinfo=None) if value.tzinfo else value
    return datetime.combine(value, time.min)


def finish(value: date) -> datetime:
    return start(value) if isinstance(value, datetime) else datetime.combine(value, time.max)


def lower_first(value: Any) -> Any:
    """The sort key that puts the two values of a condition in order."""
    return start(datetime.fromisoformat(value)) if isinstance(value, str) else value


# Random trees over these columns, with values close to those of the rows.

TEXT_VALUES = st.sampled_from([text for text in TEXTS if text]) | st.sampled_from(
    ["F", "R", "%", "_", "\\", "'", "x", "\n", "FRFRFR"]
)
NUMBER_VALUES = st.sampled_from([0, -1, 5, 4.5, 100, 0.1, 19.99, -2.5, 1_000_000, 10**17, 2**53 + 1, 0.00001, 3])
DAYS = ["1970-01-01", "2026-02-28", "2026-03-29", "2026-03-31", "2026-04-02"]
TIMES_OF_DAY = [
    "2026-03-31 12:30",
    "2026-03-31T10:30:00Z",
    "2026-03-31 12:30:00.000001+02:00",
    "1999-12-31 23:59:59.999999",
]
DAY_VALUES = st.sampled_from(DAYS)
TIME_VALUES = DAY_VALUES | st.sampled_from(TIMES_OF_DAY)
# Clocks in Paris went forward on the night of March 29, so only durations of whole days may end there.
LENGTHS = ["1 minute", "3 hours", "1 day", "2 days", "4 weeks", "1 month", "13 months", "300 months"]


@st.composite
def leaf(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from(sorted(COLUMNS)))
    return condition_on(draw, name, TYPES[name])


def condition_on(draw: st.DrawFn, name: str, type: ColumnType) -> dict[str, Any]:
    operator = draw(st.sampled_from(parsing.OPERATORS[type]))
    one = {
        ColumnType.TEXT: TEXT_VALUES,
        ColumnType.INTEGER: NUMBER_VALUES,
        ColumnType.NUMBER: NUMBER_VALUES,
        ColumnType.BOOLEAN: st.booleans(),
        ColumnType.DATE: DAY_VALUES,
        ColumnType.TIMESTAMP: TIME_VALUES,
    }[type]
    item: dict[str, Any] = {"field": name, "is": operator}
    if operator in parsing.LISTS:
        item["value"] = draw(st.lists(one, min_size=1, max_size=4))
    elif operator in parsing.PAIRS:
        item["value"] = sorted(draw(st.lists(one, min_size=2, max_size=2)), key=lower_first)
    elif operator in parsing.LENGTHS:
        item["value"] = draw(st.sampled_from(LENGTHS))
    elif operator not in parsing.PLAIN:
        item["value"] = draw(DAY_VALUES if operator == "on" else one)
    return item


@st.composite
def related(draw: st.DrawFn, where: st.SearchStrategy[Any]) -> dict[str, Any]:
    item: dict[str, Any] = {"related": "Others", "through": draw(st.sampled_from(["Others.owner", "Rows.owner"]))}
    if draw(st.booleans()):
        item["has"] = draw(st.sampled_from(sorted(parsing.HAS)))
        item |= {} if item["has"] == "none" else {"count": draw(st.sampled_from([0, 1, 2, 3]))}
    else:
        name, columns = draw(st.sampled_from(list(MEASURED.items())))
        item |= comparison(draw, name, draw(st.sampled_from(columns)))
    nested = draw(st.none() | where)
    return item if nested is None else {**item, "where": nested}


def comparison(draw: st.DrawFn, name: str, column: str) -> dict[str, Any]:
    """A comparison of a measure. Sums and averages of the rows are exact on every engine, or far from these values."""
    kind, operators = parsing.measure_operators(name, TYPES[column])
    operator = draw(st.sampled_from(operators))
    one = (
        NEAR_SUMS
        if kind == ColumnType.NUMBER
        else DAY_VALUES
        if kind == ColumnType.DATE or operator == "on"
        else TIME_VALUES
    )
    item: dict[str, Any] = {name: column, "is": operator}
    if operator in parsing.LISTS:
        item["value"] = draw(st.lists(one, min_size=1, max_size=3))
    elif operator in parsing.PAIRS:
        item["value"] = sorted(draw(st.lists(one, min_size=2, max_size=2)), key=lower_first)
    elif operator in parsing.LENGTHS:
        item["value"] = draw(st.sampled_from(LENGTHS))
    elif operator not in parsing.PLAIN:
        item["value"] = draw(one)
    return item


ORDERED = ["owner", "signed_on", "seen_at", "paid_at"]
MEASURED = {"sum": ["owner", "mrr"], "average": ["owner", "mrr"], "min": ORDERED, "max": ORDERED}
NEAR_SUMS = st.sampled_from([0, 1, 7, 9.25, 14, 21, 40, -3, 0.1, 0.10001, 3.1, 20.09, -2.4])
MEMBERS = st.builds(
    lambda name, operator: {"segment": name, "is": operator},
    st.sampled_from(["Small", "Top", "Nested"]),
    st.sampled_from(sorted(parsing.MEMBER)),
)


def groups(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(
        st.sampled_from(["all", "any"]), st.lists(children, min_size=1, max_size=3), min_size=1, max_size=1
    )


TREES = groups(st.recursive(leaf(), groups, max_leaves=5))
WIDE_TREES = groups(st.recursive(related(groups(leaf())) | MEMBERS | leaf(), groups, max_leaves=4))


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
@given(where=TREES)
def test_every_engine_agrees_with_the_reference(where: dict[str, Any], everywhere: Open) -> None:
    agree(where, everywhere)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(where=WIDE_TREES)
def test_every_engine_agrees_with_the_reference_on_related_rows_and_segments(
    where: dict[str, Any], everywhere: Open
) -> None:
    agree(where, everywhere)


@pytest.mark.parametrize("has", ["at_least", "at_most", "exactly", "none"])
def test_a_condition_on_related_rows_can_be_nested(has: str, everywhere: Open) -> None:
    back = {
        "related": "Rows",
        "has": "at_least",
        "count": 1,
        "where": {"any": [{"field": "seats", "is": "greater_than", "value": 0}]},
    }
    count = {} if has == "none" else {"count": 2}
    agree(
        {"any": [{"related": "Others", "through": "Others.owner", "has": has, **count, "where": {"all": [back]}}]},
        everywhere,
    )


@pytest.mark.parametrize(
    "operator", ["on", "before", "after", "in_the_last", "in_the_next", "more_than_ago", "anniversary_in"]
)
def test_every_engine_agrees_on_the_ends_of_a_time_span(operator: str, everywhere: Open) -> None:
    days = LENGTHS if operator in parsing.LENGTHS else DAYS
    times = LENGTHS if operator in parsing.LENGTHS else DAYS if operator == "on" else [*DAYS, *TIMES_OF_DAY]
    for name, values in (("signed_on", days), ("seen_at", times), ("paid_at", times)):
        for value in values:
            agree({"all": [{"field": name, "is": operator, "value": value}]}, everywhere)


def test_a_date_has_no_anniversary_in_its_own_year(everywhere: Open) -> None:
    for name in ("signed_on", "seen_at", "paid_at"):
        agree({"all": [{"field": name, "is": "anniversary"}]}, everywhere)


def agree(where: dict[str, Any], everywhere: Open) -> None:
    tree = parsing.parse(where, SCOPES["Rows"])
    expected = {row["id"] for row in ROWS if matches(tree, row)}
    for slug, answer in matching(where, everywhere).items():
        assert answer == expected, (slug, parsing.in_words(tree), sorted(answer ^ expected))


@pytest.mark.parametrize(
    "operator", ["equals", "not_equals", "one_of", "none_of", "contains", "not_contains", "empty", "not_empty"]
)
def test_a_null_matches_only_empty_and_the_negative_operators(operator: str, everywhere: Open) -> None:
    value = {"one_of": ["FR"], "none_of": ["FR"], "empty": None, "not_empty": None}.get(operator, "FR")
    nulls = {row["id"] for row in ROWS if row["name"] is None}
    for slug, answer in matching({"all": [{"field": "name", "is": operator, "value": value}]}, everywhere).items():
        assert (nulls <= answer) == (operator in ("not_equals", "none_of", "not_contains", "empty")), slug
        assert nulls <= answer or not nulls & answer, slug


def test_an_empty_tree_finds_every_row(everywhere: Open) -> None:
    for answer in matching({}, everywhere).values():
        assert answer == {row["id"] for row in ROWS}


# Computed fields: an aggregate, a label that may use it, and a condition on one of them.

AGGREGATED = {
    "sum": ["seats", "mrr", "owner"],
    "average": ["mrr", "owner"],
    "min": ["mrr", "seats", "signed_on", "seen_at"],
}
AGGREGATED["max"] = AGGREGATED["min"]
THROUGH = st.sampled_from(["Others.owner", "Rows.owner"])


@st.composite
def aggregates(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["count", *AGGREGATED]))
    column = True if kind == "count" else draw(st.sampled_from(AGGREGATED[kind]))
    nested = draw(st.none() | groups(leaf() | st.just({"related": "Rows", "has": "none"})))
    item = {"related": "Others", "through": draw(THROUGH), kind: column}
    return item if nested is None else {**item, "where": nested}


@st.composite
def fields(draw: st.DrawFn) -> tuple[ModelScope, dict[str, Any]]:
    """`Rows` with two computed fields, and a condition on one of them."""
    scope = with_field(SCOPES["Rows"], 'Number of"%s`', draw(aggregates()))
    name, type = list(scope.types.items())[-1]
    on_aggregate = condition_on(draw, name, ColumnType(type))
    trees = groups(leaf() | related(groups(leaf())) | st.just(on_aggregate))
    labels = [{"label": label, "where": draw(trees)} for label in ("Gold", "it's")]
    otherwise = draw(st.sampled_from([{}, {"otherwise": "5"}]))
    scope = with_field(scope, "NAME", {"labels": labels, **otherwise})
    return scope, draw(st.sampled_from([on_aggregate, condition_on(draw, "NAME", ColumnType.TEXT)]))


def with_field(scope: ModelScope, name: str, definition: dict[str, Any]) -> ModelScope:
    type = computed_fields.type_of(computed_fields.parse(definition, computed_fields.definition_scope(scope)), scope)
    return replace(scope, types={**scope.types, name: type}, computed={**scope.computed, name: definition})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(example=fields())
def test_every_engine_calculates_the_fields_of_the_reference(
    example: tuple[ModelScope, dict[str, Any]], everywhere: Open
) -> None:
    scope, condition = example
    tree = parsing.parse({"all": [condition]}, scope)
    rows = rows_with_fields(scope)
    expected = {row["id"]: [row[name] for name in scope.computed] for row in rows if matches(tree, row)}
    for slug, reader, infos, name in everywhere:
        table = reach_in(slug, infos, name, scope)("Rows", scope.computed)
        condition_sql = statements.where(tree, table.source, table.infos, now=NOW, zone=PARIS)
        rows_found = reader.rows(
            statements.select(table.source, table.infos, ["id", *scope.computed], condition_sql), len(ROWS)
        )
        answer = {
            int(row["id"]): [natural(row[field], table.infos[field].type, PARIS) for field in scope.computed]
            for row in rows_found
        }
        assert answer.keys() == expected.keys(), (slug, scope.computed, condition)
        for key, values in answer.items():
            assert all(map(is_same, values, expected[key])), (slug, scope.computed, key, values, expected[key])


def is_same(value: Any, wanted: Any) -> bool:
    """Whether two values are equal. An average halfway between two digits may be rounded either way."""
    if isinstance(wanted, Decimal) and value is not None:
        return math.isclose(value, wanted, rel_tol=1e-12, abs_tol=1.1e-6)
    return bool(value == wanted) and isinstance(value, str) == isinstance(wanted, str)


def rows_with_fields(scope: ModelScope) -> list[dict[str, Any]]:
    rows = [dict(row) for row in ROWS]
    for name in scope.computed:
        formula = computed_fields.formula_of(scope, name)
        for row in rows:
            row[name] = (
                label_of(formula, row) if isinstance(formula, computed_fields.Labels) else aggregate_of(formula, row)
            )
    return rows


def label_of(formula: computed_fields.Labels, row: Mapping[str, Any]) -> str | None:
    return next((label for label, tree in formula.labels if matches(tree, row)), formula.otherwise)


def aggregate_of(formula: parsing.Related, row: Mapping[str, Any]) -> Any:
    others = related_rows(formula, row)
    if formula.measure == "count":
        return len(others)
    values = [other[formula.column] for other in others if other[formula.column] is not None]
    if formula.measure in ("min", "max"):
        value = measure(formula.measure, values)
        return value.replace(tzinfo=PARIS) if isinstance(value, datetime) else value
    total = sum((Decimal(repr(value)) for value in values), Decimal(0))
    if formula.measure == "average":
        return total / len(values) if values else None
    return int(total) if TYPES[formula.column] == ColumnType.INTEGER else float(round(total, 6))
