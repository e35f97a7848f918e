"""`manage.py segments`: what a segment holds, asked of a real source."""

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
def say(capsys: Any) -> Any:
    def say(*words: str) -> str:
        call_command("segments", *words)
        return str(capsys.readouterr().out)

    return say


@pytest.fixture
def fail(capsys: Any) -> Any:
    def fail(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            call_command("segments", *words)
        return int(str(ended.value.code)), str(capsys.readouterr().err)

    return fail


def test_count_says_how_many_rows_meet_the_conditions(say: Any) -> None:
    assert say("count", "Norwegians") == "1\n"
    assert json.loads(say("count", "Norwegians", "--json")) == {"segment": "Norwegians", "count": 1}


def test_preview_shows_the_rows_in_columns(say: Any) -> None:
    head, row = say("preview", "Norwegians").splitlines()
    assert head.split() == ["id", "name", "domain", "mrr", "country", "active", "since"]
    assert row.split()[:5] == ["2", "Bo", "bo.example", "0", "NO"]


def test_preview_in_json_keeps_nulls_letters_and_types(say: Any) -> None:
    Segment.objects.update(where={"all": [{"field": "id", "is": "equals", "value": 3}]})
    answer = json.loads(say("preview", "Norwegians", "--json"))
    assert answer["columns"][:3] == ["id", "name", "domain"]
    assert answer["rows"][0]["id"] == 3
    assert (answer["rows"][0]["name"], answer["rows"][0]["domain"]) == ("Çelik", None)


def test_preview_of_an_empty_segment_still_names_the_columns(say: Any) -> None:
    Segment.objects.update(where={"all": [{"field": "id", "is": "equals", "value": 99}]})
    assert say("preview", "Norwegians").split() == ["id", "name", "domain", "mrr", "country", "active", "since"]


def test_preview_is_as_long_as_asked_for(say: Any, fail: Any) -> None:
    Segment.objects.update(where={})
    assert len(say("preview", "Norwegians", "--limit", "2").splitlines()) == 3
    assert fail("preview", "Norwegians", "--limit", "0")[0] == 64


def test_sql_shows_the_query_of_the_source(say: Any) -> None:
    query = say("sql", "Norwegians").lower()
    assert "companies" in query
    assert "where" in query
    assert "country" in query


def test_an_unknown_name_is_refused_with_those_that_are_known(fail: Any) -> None:
    assert fail("count", "Swedes") == (64, "There is no segment called 'Swedes'. There are: Norwegians.\n")


def test_a_source_that_is_gone_gives_a_message_and_no_traceback(tmp_path: Path, fail: Any) -> None:
    (tmp_path / "shop.sqlite3").unlink()
    code, said = fail("count", "Norwegians")
    assert code in (2, 64)
    assert said.strip()
    assert "Traceback" not in said
