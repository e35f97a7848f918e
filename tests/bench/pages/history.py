"""Fills the database with the history of an installation, in a few large statements. PostgreSQL only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from activations import digests
from activations.models import Activation, Change, Draft, Exchange, Generation, Record, Run, Warning
from segments.models import Catalog, DataModel, Segment, SegmentSize, Source
from tests.bench.pages import statements

if TYPE_CHECKING:
    from django.db.models import Model

    from tests.bench.pages.size import Installation

TABLES = 400
SEARCHED_KEY, SEARCHED_NAME = "17", "Fjörd Robotics 17"
_BATCH = 500_000


def fill(size: Installation) -> None:
    """Adds runs, changes, baselines, warnings, sizes and drafts to activations that exist."""
    User.objects.create_superuser("ops", "ops@example.com", "a-long-password")
    DataModel.objects.update(display_column="name")
    _companies(size.companies)
    insert(Generation, statements.GENERATIONS)
    insert(Run, statements.RUNS, {"runs": size.runs})
    execute(statements.PLANNED, {"changes": size.changes, "runs": size.runs})
    with WithoutIndexes(Change):
        insert(Change, statements.CHANGES, {"companies": size.companies})
    insert(Exchange, statements.EXCHANGES)
    execute(statements.COUNTS)
    execute(statements.STATES)
    execute(statements.LIVE)
    execute(statements.FAILED)
    with WithoutIndexes(Record):
        insert(Record, statements.RECORDS, {"companies": size.companies, "activations": size.activations})
    insert(Warning, statements.WARNINGS, {"warnings": size.warnings, "activations": size.activations})
    execute(statements.MISTAKES)
    insert(SegmentSize, statements.SIZES)
    _lists()
    execute("VACUUM ANALYZE")


def insert(model: type[Model], selected: dict[str, str], parameters: dict[str, Any] | None = None) -> None:
    """Inserts the rows of a query. Fields that it doesn't set get the defaults of the model.

    Args:
        selected: an SQL expression for each column, and the tables under "from".
    """
    expressions = {name: text for name, text in selected.items() if name != "from"}
    values = dict(parameters or {})
    for field in model._meta.concrete_fields:
        if not field.column or field.column in expressions or field.primary_key or field.has_db_default():
            continue
        expressions[field.column] = f"%(default_{field.column})s"
        values[f"default_{field.column}"] = field.get_db_prep_save(field.get_default(), connection)
    columns = ", ".join(f'"{name}"' for name in expressions)
    body = f"SELECT {', '.join(expressions.values())} {selected['from']}"
    execute(f"INSERT INTO {model._meta.db_table} ({columns}) {body}", values)


def execute(statement: str, parameters: dict[str, Any] | None = None) -> None:
    """Executes one statement. Placeholders are `%(name)s`; every other percent sign is doubled."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or {})


class WithoutIndexes:
    """A context manager that drops the indexes of a table that only speed up reading, and creates them again."""

    def __init__(self, model: type[Model]) -> None:
        self.table = model._meta.db_table

    def __enter__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statements.INDEXES, [self.table])
            self.indexes: list[tuple[str, str]] = cursor.fetchall()
        for name, _ in self.indexes:
            execute(f'DROP INDEX "{name}"')

    def __exit__(self, *error: object) -> None:
        for _, definition in self.indexes:
            execute(definition)


def _companies(number: int) -> None:
    """A table of companies with the digests of their keys, which only Python can calculate."""
    execute("CREATE TABLE bench_company (id bigint PRIMARY KEY, digest bigint NOT NULL)")
    with connection.cursor() as cursor:
        for start in range(1, number + 1, _BATCH):
            ids = pl.Series(range(start, min(start + _BATCH, number + 1)))
            found = digests.of_texts(ids.cast(pl.String))
            with cursor.copy("COPY bench_company FROM STDIN") as copy:
                copy.write("".join(f"{key}\t{digest}\n" for key, digest in zip(ids, found, strict=True)))
    execute("ANALYZE bench_company")


def _lists() -> None:
    """What is stored as lists: the tables of a source, the tags of segments, and drafts."""
    columns = [
        {"name": f"column_{place}", "type": "text", "native": "varchar", "nullable": True} for place in range(20)
    ]
    tables = [
        {"name": f"public.table_{place:03}", "kind": "table", "columns": columns, "primary_key": ["column_0"]}
        for place in range(TABLES)
    ]
    for source in Source.objects.all():
        Catalog.objects.update_or_create(source=source, defaults={"tables": tables, "read_at": timezone.now()})
    Segment.objects.filter(pk__in=Segment.objects.values("pk")[:50]).update(tags=["Sales", "Weekly"])
    owner = User.objects.get()
    Draft.objects.bulk_create(
        Draft(owner=owner, activation=activation, data={"name": [activation.name], "mode": [activation.mode]})
        for activation in Activation.objects.all()[:20]
    )
