"""The column that names a row is guessed from the names of the columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from segments.integrity.segments import rename_column
from segments.models import DataModel, Source
from segments.sources.discovery import refresh_columns
from segments.sources.display import guess
from tests.segments.places import make

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("columns", "column"),
    [
        (["id", "email", "name"], "name"),
        (["Id", "Domain", "Company Name"], "Company Name"),
        (["id", "first_name", "last_name", "email"], "email"),
        (["id", "last_name", "FULL_NAME"], "FULL_NAME"),
        (["id", "filename", "cust_name"], "cust_name"),
        (["id", "title", "created_at"], "title"),
        (["name", "title"], "title"),
        (["id", "mrr", "country"], ""),
        ([], ""),
    ],
)
def test_the_column_that_names_rows_is_guessed(columns: list[str], column: str) -> None:
    key = columns[0] if columns else "id"
    assert guess(dict.fromkeys(columns, "text"), key) == column


def test_only_text_names_a_row() -> None:
    assert guess({"id": "integer", "name": "integer", "email": "text"}, "id") == "email"


@pytest.mark.django_db
def test_it_is_guessed_once_and_follows_a_renamed_column(files: Path) -> None:
    place = make("sqlite", files, "named", {"id": "integer", "name": "text", "title": "text"}, [])
    source = Source.objects.create(name="Shop", engine="sqlite", config=place.settings)
    model = DataModel.objects.create(name="Companies", source=source, table=place.table, primary_key="id")
    refresh_columns(model)
    assert DataModel.objects.get().display_column == "name"
    rename_column(model, "name", "called")
    assert DataModel.objects.get().display_column == "called"
    DataModel.objects.update(display_column="title")
    refresh_columns(DataModel.objects.get())
    assert DataModel.objects.get().display_column == "title"
