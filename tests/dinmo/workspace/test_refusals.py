"""What a workspace file may not say: each mistake with its line and a sentence, and nothing is applied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Unavailable
from dinmo.workspace import apply as applying
from dinmo.workspace import problems, sources
from segments.models import Source
from tests.dinmo import shop

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, settings: Any) -> None:
    settings.SOURCE_FILES_ROOT = tmp_path
    shop.make(tmp_path)


def refusals(text: str, ask: Any = sources.columns) -> list[tuple[int, str]]:
    with pytest.raises(problems.Refused) as refused:
        applying.apply(text, shop.SECRETS, ask)
    assert not Source.objects.exists()
    return [(problem.line, problem.sentence) for problem in refused.value.problems]


def refused(old: str, new: str) -> list[tuple[str, str]]:
    """What is said where a part of the good file is replaced: the text of each line concerned, and the sentence."""
    assert old in shop.WORKSPACE
    text = shop.WORKSPACE.replace(old, new, 1)
    written = text.splitlines()
    return [(written[line - 1].strip(), sentence) for line, sentence in refusals(text)]


ATTIO = "mode: upsert"
FIELD = "- {from: name, to: name}"
CASES = [
    # (what of the good file, replaced by what, the line that is named, what the sentence says)
    ("models:", "modles:", "modles:", "Did you mean `models`?"),
    ("engine: sqlite", "engine: clickhouse", "- {name: Shop, engine: clickhouse", "no engine 'clickhouse'"),
    ("path: shop.sqlite3", "path: shop.sqlite3, pathh: x", "- {name: Shop", "no `pathh`. Did you mean"),
    (", path: shop.sqlite3", "", "- {name: Shop", "`path`"),
    ("path: shop.sqlite3", "path: shop.sqlite3, timezone: Mars/Base", "- {name: Shop", "no time zone"),
    ("name: Shop,", "name: 12,", "- {name: 12", 'Put it in quotes: "12"'),
    ("source: Shop, table", "source: Shoop, table", "- {name: Companies", "no source called 'Shoop'"),
    ("table: companies, ", "", "- {name: Companies", "needs a `table` or `sql`"),
    ("table: companies", "table: companys", "- {name: Companies", "'Shop'"),
    ("primary_key: id}", "primary_key: ident}", "- {name: Companies", "no column 'ident'. It has: id, name"),
    ("primary_key: id}", "kind: things, primary_key: id}", "- {name: Companies", "one of: users, events, custom"),
    ("mrr > 0", "mrr >", "sql: |", "'Shop'"),
    ("model: Companies\n    where", "model: Companyes\n    where", "model: Companyes", "no model called 'Companyes'"),
    ("field: country", "field: land", "- {field: land", "land"),
    ("is: greater_than", "is: bigger", "- {field: mrr", "bigger"),
    ("value: 0}", "value: many}", "- {field: mrr, is: greater_than, value: many}", "must be a number"),
    (
        "- {field: mrr, is: greater_than, value: 0}",
        "- {related: Orders, has: none}",
        "- {related: Orders",
        "is not related to this model",
    ),
    (
        "- {field: mrr, is: greater_than, value: 0}",
        "- {segment: Other, is: member}",
        "- {segment: Other",
        "no segment named 'Other'",
    ),
    ("is: greater_than", "is: [greater_than]", "- {field: mrr", "`is` takes one word"),
    ("platform: attio", "platform: attic", "- {name: Our Attio", "no platform 'attic'"),
    (', token: "${OUR_ATTIO}"', "", "- {name: Our Attio", "`token`"),
    ("${OUR_ATTIO}", "${OTHER}", "- {name: Our Attio", "'OTHER' is not set"),
    ("region: eu", "region: moon", "- {name: Our Intercom", "`region`"),
    ("service: attio.companies", "service: attio.people2", "- {name: Attio companies", "no service 'attio.people2'"),
    ("service: attio.companies", "service: intercom.companies", "- {name: Attio companies", "no service of attio"),
    ("name: Our Intercom", "name: Our Attio", "- {name: Our Attio, platform: intercom", "stands twice"),
    ("segment: Norwegians", "segment: Norwegians\n    model: Companies", "- name: Norwegians to Attio", "one of both"),
    ("segment: Norwegians", "segment: Swedes", "segment: Swedes", "no segment called 'Swedes'"),
    (ATTIO, "mode: upsurt", "mode: upsurt", "one of: upsert, update, insert"),
    (ATTIO, "mode: upsert\n    insert_new: true", "insert_new: true", "not both"),
    (ATTIO, "insert_new: 1", "insert_new: 1", "true or false"),
    (ATTIO, "guards: {max_creates: 5}", "guards: {max_creates: 5}", "Guards are not part of this version"),
    (ATTIO, "paused: NO", "paused: NO", "true or false"),
    (ATTIO, "moed: upsert", "moed: upsert", "Did you mean `mode`?"),
    ("match: {from: domain, to: domains}", "mode2: x", "mode2: x", "no `mode2`"),
    ("match: {from: domain, to: domains}", "paused: true", "- name: Norwegians to Attio", "needs `match"),
    ("from: domain, to: domains", "from: domian, to: domains", "match: {from: domian", "no column 'domian'"),
    (FIELD, "- {from: nome, to: name}", "- {from: nome", "no column 'nome'"),
    (FIELD, "- {from: name, value: x, to: name}", "- {from: name, value: x", "one of both"),
    (FIELD, "- {to: name}", "- {to: name}", "one of both"),
    (FIELD, "- {from: name}", "- {from: name}", "needs `to`"),
    (FIELD, "- {from: name, to: domains}", "- {from: name, to: domains}", "is the match"),
    (FIELD, "- {from: name, to: categories}", "- {value: Customer", "mapped twice"),
    (FIELD, "- {from: name, to: name, when_empty: erase}", "- {from: name, to: name, when", "keep, clear"),
    (FIELD, "- name", "- name", "A field row is written as keys"),
    ("    backfill: new\n", "    custom_attributes: [mrr]\n", "custom_attributes: [mrr]", "custom attributes"),
    ("every: 15 minutes", "every: 0 minutes", "- {every: 0 minutes}", "one minute"),
    ("every: 15 minutes", "every: 15 seconds", "- {every: 15 seconds}", "minutes, hours or days"),
    ("every: 15 minutes", "every: 999999 days", "- {every: 999999 days}", "a year"),
    (
        "every: 15 minutes",
        "every: 15 minutes, cron: '* * * * *'",
        "- {every: 15 minutes, cron",
        "one of `every`, `cron`",
    ),
    ("0 7 * * 1-5", "0 7 * *", '- {cron: "0 7 * *"', "five fields"),
    ("0 7 * * 1-5", "0 77 * * 1-5", '- {cron: "0 77', "no valid schedule"),
    ("0 7 * * 1-5", "x y z a b", '- {cron: "x y', "x y z a b"),
    ("[monday, wednesday]", "[monday, funday]", "- {days: [monday, funday]", "each day once"),
    ("[monday, wednesday]", "[]", "- {days: []", "each day once"),
    ('at: "09:00"', 'at: "25:00"', "- {days:", "time of day"),
    ("timezone: Europe/Paris}\n      - {days", "timezone: Europe}\n      - {days", '- {cron: "0 7', "no time zone"),
    (
        "      - {every: 15 minutes}\n",
        "      - {every: 15 minutes}\n" * 2,
        "- {every: 15 minutes}",
        "stands here twice",
    ),
    ("rejected_percent: 7", "rejected_percent: 101", "warnings: {rej", "from 0 to 100"),
    ("rejected_percent: 7", "rejected_percent: seven", "warnings: {rej", "whole number"),
    ("ops@example.com", "ops", "warnings: {rej", "mail addresses"),
    ("backfill: new", "backfill: never", "backfill: never", "one of: all, new"),
    (
        "segments:\n",
        "relations:\n  - {from: A.b, to: Paying.id}\nsegments:\n",
        "- {from: A.b",
        "a model and a column of it",
    ),
    (
        "segments:\n",
        "relations:\n  - {from: Paying.idd, to: Companies.id}\nsegments:\n",
        "- {from: Paying.idd",
        "no column 'idd'",
    ),
    (
        "segments:\n",
        "relations:\n  - {from: Paying.id, to: Paying.id}\nsegments:\n",
        "- {from: Paying.id",
        "related to itself",
    ),
    (
        "- {field: mrr, is: greater_than, value: 0}",
        "- {segment: Norwegians, is: member}",
        "- {segment: Norw",
        "Norwegians → Norwegians",
    ),
    ("    where:\n", "    limit: {rows: 5}\n    where:\n", "limit: {rows: 5}", "needs `order_by`"),
    ("sources:", "sources: Shop\nothers:", "sources: Shop", "must be a list"),
]


@pytest.mark.parametrize(("old", "new", "line", "sentence"), CASES, ids=[f"{case[1][:40]!r}" for case in CASES])
def test_a_mistake_is_refused_at_its_line(old: str, new: str, line: str, sentence: str) -> None:
    found = refused(old, new)
    assert [told for at, told in found if at.startswith(line) and sentence in told], found


def test_all_mistakes_are_told_at_once_and_each_once() -> None:
    text = shop.WORKSPACE.replace("path: shop.sqlite3", "path: none.sqlite3").replace(
        "backfill: new", "backfill: never"
    )
    text = text.replace('at: "09:00"', "at: noon").replace("region: eu", "region: mars")
    found = refusals(text)
    assert len(found) == len(set(found)) == 5
    assert [line for line, _ in found] == sorted(line for line, _ in found)


def test_a_missing_variable_hides_no_other_mistake_and_no_source_is_asked_with_it() -> None:
    def ask(*args: Any) -> Any:
        raise AssertionError("asked")

    text = (
        shop.WORKSPACE.replace("${OUR_ATTIO}", "${OTHER}")
        .replace("backfill: new", "backfill: never")
        .replace("region: eu", "region: mars")
    )
    found = refusals(text, ask)
    assert ["'OTHER' is not set" in found[0][1], "`region`" in found[1][1]] == [True, True]
    assert "`backfill`" in found[2][1]
    assert len(found) == 3


def test_one_wrong_source_is_not_told_again_by_all_that_is_built_on_it() -> None:
    assert len(refused("engine: sqlite", "engine: oracle9")) == 1


def test_a_source_that_can_not_be_reached_is_named_once_and_asked_once() -> None:
    asked = []

    def ask(*args: Any) -> Any:
        asked.append(args)
        raise Unavailable("unreachable", "The database does not answer.")

    ((_, sentence),) = refusals(shop.WORKSPACE, ask)
    assert sentence == "The source 'Shop' can't be read now: The database does not answer."
    assert len(asked) == 1


def test_the_primary_key_of_a_model_stays() -> None:
    applying.apply(shop.WORKSPACE, shop.SECRETS, sources.columns)
    text = shop.WORKSPACE.replace("table: companies, primary_key: id", "table: companies, primary_key: domain")
    with pytest.raises(problems.Refused, match="Make a new model"):
        applying.apply(text, shop.SECRETS, sources.columns)


def test_a_connection_stays_with_its_platform() -> None:
    applying.apply(shop.WORKSPACE, shop.SECRETS, sources.columns)
    text = "connections:\n  - {name: Our Attio, platform: intercom, region: eu, token: x}\n"
    with pytest.raises(problems.Refused, match="connection to attio already"):
        applying.apply(text, shop.SECRETS, sources.columns)


def test_no_refusal_shows_what_came_from_the_environment() -> None:
    text = shop.WORKSPACE
    for part in (
        "engine: sqlite",
        "platform: attio",
        "region: eu",
        "source: Shop, table",
        "mode: upsert",
        "every: 15 minutes",
    ):
        key = part.split(":")[0]
        text = text.replace(part, part.replace(part.split(": ")[1].split(",")[0], '"${OUR_ATTIO}"'), 1)
        assert key in text
    assert "secret" not in "".join(sentence for _, sentence in refusals(text))


@pytest.fixture
def run(tmp_path: Path, capsys: Any, monkeypatch: Any) -> Any:
    for name, value in shop.SECRETS.items():
        monkeypatch.setenv(name, value)

    def run(content: bytes, *options: str) -> list[str]:
        path = tmp_path / "workspace.yaml"
        path.write_bytes(content)
        with pytest.raises(SystemExit) as ended:
            call_command("apply", str(path), *options)
        assert ended.value.code == 64
        return capsys.readouterr().err.replace(f"{tmp_path}/", "").splitlines()

    return run


def test_the_command_prints_each_problem_with_file_and_line_and_exits_64(run: Any) -> None:
    assert run(b"guards: 1\nsources:\n  - {name: A}\n") == [
        "workspace.yaml:1: The workspace has no `guards`. It knows: activations, connections, destinations, models, relations, "
        "segments, sources.",
        "workspace.yaml:3: A source needs `engine`.",
    ]


def test_the_command_refuses_what_is_no_utf_8_at_its_line(run: Any) -> None:
    assert run(b"a: 1\nb: \xff\n") == ["workspace.yaml:2: This is no UTF-8 text. Save the file as UTF-8."]


def test_the_command_refuses_a_file_that_is_not_there(tmp_path: Path, capsys: Any) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("apply", str(tmp_path / "none.yaml"))
    assert ended.value.code == 64
    assert "none.yaml can't be read: No such file or directory." in capsys.readouterr().err


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_file_never_ends_in_a_traceback(data: st.DataObject) -> None:
    text = shop.WORKSPACE
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        piece = data.draw(
            st.sampled_from(["", "\n", " ", ":", "-", "{", "}", "[", "]", '"', "null", "1", "true", "*", "- x", "\t"])
        )
        text = text[:at] + piece + text[at + data.draw(st.integers(0, 6)) :]
    try:
        applying.apply(text, shop.SECRETS, sources.columns, dry_run=True)
    except problems.Refused as refused:
        assert refused.problems
