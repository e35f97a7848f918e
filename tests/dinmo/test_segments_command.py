"""`manage.py segments`: reads segments from a real source."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command

from dinmo.workspace import sources
from dinmo.workspace.apply import apply
from segments.models import Segment
from tests.dinmo import shop

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _shop(tmp_path: Path, settings: Any) -> None:
    settings.SOURCE_FILES_ROOT = tmp_path
    shop.make(tmp_path)
    apply(shop.WORKSPACE, shop.SECRETS, sources.columns)


@pytest.fixture
def output(capsys: Any) -> Any:
    def run(*words: str) -> str:
        call_command("segments", *words)
        return str(capsys.readouterr().out)

    return run


@pytest.fixture
def failure(capsys: Any) -> Any:
    def run(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            call_command("segments", *words)
        return int(str(ended.value.code)), str(capsys.readouterr().err)

    return run


def test_count_is_the_number_of_rows_that_match_the_conditions(output: Any) -> None:
    assert output("count", "Norwegians") == "1\n"
    assert json.loads(output("count", "Norwegians", "--json")) == {"segment": "Norwegians", "count": 1}


def test_preview_shows_the_rows_in_columns(output: Any) -> None:
    head, row = output("preview", "Norwegians").splitlines()
    assert head.split() == ["id", "name", "domain", "mrr", "country", "active", "since"]
    assert row.split()[:5] == ["2", "Bo", "bo.example", "0", "NO"]


def test_preview_in_json_keeps_nulls_characters_and_types(output: Any) -> None:
    Segment.objects.update(where={"all": [{"field": "id", "is": "equals", "value": 3}]})
    answer = json.loads(output("preview", "Norwegians", "--json"))
    assert answer["columns"][:3] == ["id", "name", "domain"]
    assert answer["rows"][0]["id"] == 3
    assert (answer["rows"][0]["name"], answer["rows"][0]["domain"]) == ("Çelik", None)


def test_preview_of_an_empty_segment_has_the_column_names(output: Any) -> None:
    Segment.objects.update(where={"all": [{"field": "id", "is": "equals", "value": 99}]})
    assert output("preview", "Norwegians").split() == ["id", "name", "domain", "mrr", "country", "active", "since"]


def test_preview_respects_the_limit(output: Any, failure: Any) -> None:
    Segment.objects.update(where={})
    assert len(output("preview", "Norwegians", "--limit", "2").splitlines()) == 3
    assert failure("preview", "Norwegians", "--limit", "0")[0] == 64


def test_sql_shows_the_query_of_the_source(output: Any) -> None:
    query = output("sql", "Norwegians").lower()
    assert "companies" in query
    assert "where" in query
    assert "country" in query


def test_unknown_name_is_refused_with_the_existing_names(failure: Any) -> None:
    assert failure("count", "Swedes") == (64, "There is no segment named 'Swedes'. Existing segments: Norwegians.\n")


def test_missing_source_gives_a_message_and_no_traceback(tmp_path: Path, failure: Any) -> None:
    (tmp_path / "shop.sqlite3").unlink()
    code, message = failure("count", "Norwegians")
    assert code in (2, 64)
    assert message.strip()
    assert "Traceback" not in message
