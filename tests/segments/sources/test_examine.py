"""A question that is not wanted any more ends in the source itself."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from segments.models import Column, DataModel, Question, Source
from segments.reading import read, superseding
from tests.segments.places import POSTGRES_URL, postgres_settings

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db
SLOW = "with recursive endless(n) as (select 1::bigint union all select n + 1 from endless) select max(n) as id from endless"
MARK = "recursive endless(n)"


@pytest.fixture
def endless(postgres: None, files: Path, settings: Any) -> DataModel:
    settings.SOURCE_PREVIEW_SECONDS = 60
    source = Source.objects.create(name="Db", engine="postgres", config=postgres_settings())
    model = DataModel.objects.create(name="Slow", source=source, sql=SLOW, primary_key="id")
    Column.objects.create(model=model, name="id", type="integer", native="integer")
    return model


def at_work() -> int:
    """How many statements the server is at work on."""
    asked = "select count(*) from pg_stat_activity where state = 'active' and query like %s and pid <> pg_backend_pid()"
    with psycopg.connect(POSTGRES_URL, autocommit=True) as connection:
        row = connection.execute(asked, [f"%{MARK}%"]).fetchone()
    return int(row[0]) if row else 0


def test_a_newer_question_of_the_page_ends_the_statement_at_the_server(endless: DataModel) -> None:
    look = superseding.register("page", 1)
    seen: list[int] = []

    def watched() -> None:
        # Asked anew only once the server is at work on the first question.
        if not seen and (running := at_work()):
            seen.append(running)
            superseding.register("page", 2)
        look()

    began = time.monotonic()
    with pytest.raises(superseding.Superseded):
        read.examine(read.selection(endless), now=datetime.now(UTC), limit=5, total=False, check=watched)
    assert seen
    assert time.monotonic() - began < 15
    assert at_work() == 0
    assert Question.objects.get().number == 2
