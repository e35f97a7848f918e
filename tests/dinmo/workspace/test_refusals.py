"""Mistakes in a workspace file: each is reported with its line and a sentence, and nothing is applied."""

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


def refusals(text: str, read_columns: Any = sources.columns) -> list[tuple[int, str]]:
    with pytest.raises(problems.Refused) as refused:
        applying.apply(text, shop.SECRETS, read_columns)
    assert not Source.objects.exists()
    return [(problem.line, problem.sentence) for problem in refused.value.problems]


def refused(old: str, new: str) -> list[tuple[str, str]]:
    """The problems after a part of the valid file was replaced: the text of each line, and the sentence."""
    assert old in shop.WORKSPACE
    text = shop.WORKSPACE.replace(old, new, 1)
    written = text.splitlines()
    return [(written[line - 1].strip(), sentence) for line, sentence in refusals(text)]


ATTIO = "mode: upsert"
FIELD = "- {from: name, to: name}"
CASES = [
    # (the part of the valid file, its replacement, the start of the reported line, a part of the sentence)
    ("models:", "modles:", "modles:", "Did you mean `models`?"),
    ("engine: sqlite", "engine: clickhouse", "- {name: Shop, engine: clickhouse", "no engine “clickhouse”"),
    ("path: shop.sqlite3", "path: shop.sqlite3, pathh: x", "- {name: Shop", "no key `pathh`. Did you mean"),
    (", path: shop.sqlite3", "", "- {name: Shop", "`path`"),
    ("path: shop.sqlite3", "path: shop.sqlite3, timezone: Mars/Base", "- {name: Shop", "not a valid time zone"),
    ("name: Shop,", "name: 12,", "- {name: 12", 'Put it in quotes: "12"'),
    ("source: Shop, table", "source: Shoop, table", "- {name: Companies", "no source named “Shoop”"),
    ("table: companies, ", "", "- {name: Companies", "needs a `table` or `sql`"),
    ("table: companies", "table: companys", "- {name: Companies", "“Shop”"),
    ("primary_key: id}", "primary_key: ident}", "- {name: Companies", "no column “ident”. It has: id, name"),
    ("primary_key: id}", "primary_key: id, display: nome}", "- {name: Companies", "no column “nome”. It has: id, name"),
    ("primary_key: id}", "kind: things, primary_key: id}", "- {name: Companies", "one of: users, events, custom"),
    ("mrr > 0", "mrr >", "sql: |", "“Shop”"),
    ("model: Companies\n    where", "model: Companyes\n    where", "model: Companyes", "no model named “Companyes”"),
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
        "no segment named “Other”",
    ),
    ("is: greater_than", "is: [greater_than]", "- {field: mrr", "`is` must be one word"),
    ("platform: attio", "platform: attic", "- {name: Our Attio", "no platform “attic”"),
    (', token: "${OUR_ATTIO}"', "", "- {name: Our Attio", "`token`"),
    ("${OUR_ATTIO}", "${OTHER}", "- {name: Our Attio", "'OTHER' is not set"),
    ("region: eu", "region: moon", "- {name: Our Intercom", "`region`"),
    ("service: attio.companies", "service: attio.people2", "- {name: Attio companies", "no service “attio.people2”"),
    ("service: attio.companies", "service: intercom.companies", "- {name: Attio companies", "not a service of attio"),
    ("name: Our Intercom", "name: Our Attio", "- {name: Our Attio, platform: intercom", "appears twice"),
    (
        "segment: Norwegians",
        "segment: Norwegians\n    model: Companies",
        "- name: Norwegians to Attio",
        "either a `segment` or a `model`",
    ),
    ("segment: Norwegians", "segment: Swedes", "segment: Swedes", "no segment named “Swedes”"),
    (ATTIO, "mode: upsurt", "mode: upsurt", "one of: upsert, update, insert"),
    (ATTIO, "mode: upsert\n    insert_new: true", "insert_new: true", "not both"),
    (ATTIO, "insert_new: 1", "insert_new: 1", "true or false"),
    (ATTIO, "guards: {max_creates: -5}", "guards: {max_creates: -5}", "`max_creates` must be a whole number from 0 to"),
    (ATTIO, "guards: {max_change_percent: 101}", "guards: {max_change_percent: 101}", "or null to switch it off"),
    (ATTIO, "guards: {max_change: 5}", "guards: {max_change: 5}", "Did you mean `max_change_percent`?"),
    (ATTIO, "guards: {refuse_empty: 5}", "guards: {refuse_empty: 5}", "must be true or false"),
    (ATTIO, "paused: NO", "paused: NO", "true or false"),
    (ATTIO, "moed: upsert", "moed: upsert", "Did you mean `mode`?"),
    ("match: {from: domain, to: domains}", "mode2: x", "mode2: x", "no key `mode2`"),
    ("match: {from: domain, to: domains}", "paused: true", "- name: Norwegians to Attio", "needs `match"),
    ("from: domain, to: domains", "from: domian, to: domains", "match: {from: domian", "no column “domian”"),
    (FIELD, "- {from: nome, to: name}", "- {from: nome", "no column “nome”"),
    (FIELD, "- {from: name, value: x, to: name}", "- {from: name, value: x", "needs one of `from: column`, `template"),
    (FIELD, "- {to: name}", "- {to: name}", "needs one of `from: column`, `template"),
    (FIELD, "- {template: '{nome}', to: name}", "- {template", "names the column “nome”"),
    (FIELD, "- {template: '{name', to: name}", "- {template", "without its counterpart"),
    (FIELD, "- {template: 'name', to: name}", "- {template", "names no column"),
    (FIELD, "- {from: name, to: name, round: 1}", "- {from: name, to: name, round", "`round` must be true or false"),
    (FIELD, "- {from: name}", "- {from: name}", "needs `to`"),
    (FIELD, "- {from: name, to: domains}", "- {from: name, to: domains}", "is the match attribute"),
    (FIELD, "- {from: name, to: categories}", "- {value: Customer", "mapped twice"),
    (FIELD, "- {from: name, to: name, when_empty: erase}", "- {from: name, to: name, when", "keep, clear"),
    (FIELD, "- {from: name, to: name, write: never}", "- {from: name, to: name, write", "always, if_empty, on_create"),
    (FIELD, "- name", "- name", "A field must consist of keys"),
    ("{from: name, to: name}", "{from: name, to: name, country: Atlantis}", FIELD[:-1], "`country` takes an ISO 3166"),
    (
        "[mrr, country]",
        "[mrr, {from: country, to: revenue ($ millions)}]",
        "custom_attributes:",
        "names can contain only",
    ),
    (
        "[mrr, country]",
        "[mrr, {from: country, to: plan}]",
        "custom_attributes:",
        "one of Intercom's standard attributes",
    ),
    ("    backfill: new\n", "    custom_attributes: [mrr]\n", "custom_attributes: [mrr]", "custom attributes"),
    ("every: 15 minutes", "every: 0 minutes", "- {every: 0 minutes}", "from one minute"),
    ("every: 15 minutes", "every: 15 seconds", "- {every: 15 seconds}", "minutes, hours or days"),
    ("every: 15 minutes", "every: 999999 days", "- {every: 999999 days}", "to one year"),
    (
        "every: 15 minutes",
        "every: 15 minutes, cron: '* * * * *'",
        "- {every: 15 minutes, cron",
        "exactly one of `every`, `cron`",
    ),
    ("0 7 * * 1-5", "0 7 * *", '- {cron: "0 7 * *"', "five fields"),
    ("0 7 * * 1-5", "0 77 * * 1-5", '- {cron: "0 77', "not a valid cron expression"),
    ("0 7 * * 1-5", "x y z a b", '- {cron: "x y', "x y z a b"),
    ("[monday, wednesday]", "[monday, funday]", "- {days: [monday, funday]", "each day only once"),
    ("[monday, wednesday]", "[]", "- {days: []", "each day only once"),
    ('at: "09:00"', 'at: "25:00"', "- {days:", "time of day"),
    (
        "timezone: Europe/Paris}\n      - {days",
        "timezone: Europe}\n      - {days",
        '- {cron: "0 7',
        "not a valid time zone",
    ),
    (
        "      - {every: 15 minutes}\n",
        "      - {every: 15 minutes}\n" * 2,
        "- {every: 15 minutes}",
        "appears twice",
    ),
    ("rejected_percent: 7", "rejected_percent: 101", "warnings: {rej", "from 0 to 100"),
    ("rejected_percent: 7", "rejected_percent: seven", "warnings: {rej", "whole number"),
    ("ops@example.com", "ops", "warnings: {rej", "email addresses"),
    ("backfill: new", "backfill: never", "backfill: never", "one of: all, new"),
    (
        "segments:\n",
        "relations:\n  - {from: A.b, to: Paying.id}\nsegments:\n",
        "- {from: A.b",
        "a model and one of its columns",
    ),
    (
        "segments:\n",
        "relations:\n  - {from: Paying.idd, to: Companies.id}\nsegments:\n",
        "- {from: Paying.idd",
        "no column “idd”",
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
def test_mistake_is_reported_at_its_line(old: str, new: str, line: str, sentence: str) -> None:
    reported = refused(old, new)
    assert [text for at, text in reported if at.startswith(line) and sentence in text], reported


def test_all_mistakes_are_reported_together_and_only_once() -> None:
    text = shop.WORKSPACE.replace("path: shop.sqlite3", "path: none.sqlite3").replace(
        "backfill: new", "backfill: never"
    )
    text = text.replace('at: "09:00"', "at: noon").replace("region: eu", "region: mars")
    reported = refusals(text)
    assert len(reported) == len(set(reported)) == 5
    assert [line for line, _ in reported] == sorted(line for line, _ in reported)


def test_missing_variable_hides_no_other_mistake_and_opens_no_source() -> None:
    def read_columns(*args: Any) -> Any:
        raise AssertionError("a source was opened")

    text = (
        shop.WORKSPACE.replace("${OUR_ATTIO}", "${OTHER}")
        .replace("backfill: new", "backfill: never")
        .replace("region: eu", "region: mars")
    )
    reported = refusals(text, read_columns)
    assert ["'OTHER' is not set" in reported[0][1], "`region`" in reported[1][1]] == [True, True]
    assert "`backfill`" in reported[2][1]
    assert len(reported) == 3


def test_invalid_source_is_not_reported_again_by_what_depends_on_it() -> None:
    assert len(refused("engine: sqlite", "engine: oracle9")) == 1


def test_unreachable_source_is_reported_and_tried_only_once() -> None:
    attempts = []

    def read_columns(*args: Any) -> Any:
        attempts.append(args)
        raise Unavailable("unreachable", "The database does not answer.")

    ((_, sentence),) = refusals(shop.WORKSPACE, read_columns)
    assert sentence == "The source “Shop” can't be reached: The database does not answer."
    assert len(attempts) == 1


def test_primary_key_of_a_model_can_not_be_changed() -> None:
    applying.apply(shop.WORKSPACE, shop.SECRETS, sources.columns)
    text = shop.WORKSPACE.replace("table: companies, primary_key: id", "table: companies, primary_key: domain")
    with pytest.raises(problems.Refused, match="Create a new model"):
        applying.apply(text, shop.SECRETS, sources.columns)


def test_platform_of_a_connection_can_not_be_changed() -> None:
    applying.apply(shop.WORKSPACE, shop.SECRETS, sources.columns)
    text = "connections:\n  - {name: Our Attio, platform: intercom, region: eu, token: x}\n"
    with pytest.raises(problems.Refused, match="already exists as a connection to attio"):
        applying.apply(text, shop.SECRETS, sources.columns)


def test_no_problem_shows_a_value_from_the_environment() -> None:
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


def test_command_prints_each_problem_with_file_and_line_and_exits_with_64(run: Any) -> None:
    assert run(b"guards: 1\nsources:\n  - {name: A}\n") == [
        "workspace.yaml:1: The workspace has no key `guards`. Choose one of: activations, alerts, connections, "
        "destinations, models, relations, segments, sources.",
        "workspace.yaml:3: A source needs `engine`.",
    ]


def test_command_reports_the_line_that_is_not_utf_8(run: Any) -> None:
    assert run(b"a: 1\nb: \xff\n") == ["workspace.yaml:2: This is not valid UTF-8 text. Save the file as UTF-8."]


def test_command_reports_a_missing_file(tmp_path: Path, capsys: Any) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("apply", str(tmp_path / "none.yaml"))
    assert ended.value.code == 64
    assert "none.yaml can't be read: No such file or directory." in capsys.readouterr().err


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_file_never_leads_to_a_traceback(data: st.DataObject) -> None:
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
