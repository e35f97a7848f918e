"""`apply` changes the database as a whole or not at all, is idempotent, and keeps the sync history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from activations.models import Activation, Generation, Record, Schedule
from activations.setup import spec_from_db
from core.errors import Misconfigured
from destinations.contract import Field
from destinations.discovery import keep
from destinations.models import Connection, Destination
from destinations.registry import platforms
from destinations.sandbox.http_server import Server
from destinations.sandbox.registry import sandboxes
from destinations.vendor import opened
from dinmo.workspace import apply as applying
from dinmo.workspace import export, from_database, plan, problems, sources
from segments.models import DataModel, Segment, Source
from tests.dinmo import shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, settings: Any) -> None:
    settings.SOURCE_FILES_ROOT = tmp_path
    shop.make(tmp_path)


def apply(text: str = shop.WORKSPACE, **options: Any) -> plan.Plan:
    return applying.apply(text, shop.SECRETS, sources.columns, **options)


def lines(text: str = shop.WORKSPACE, **options: Any) -> list[str]:
    return list(apply(text, **options).lines())


def refusals(text: str, **options: Any) -> list[tuple[int, str]]:
    with pytest.raises(problems.Refused) as refused:
        apply(text, **options)
    return [(problem.line, problem.sentence) for problem in refused.value.problems]


def replaced(*pairs: tuple[str, str]) -> str:
    text = shop.WORKSPACE
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


def store_one_record(name: str, workspace: str = "") -> None:
    """Stores a record that a run of the activation sent to a workspace of the vendor, which rejected it."""
    activation = Activation.objects.get(name=name)
    identity = spec_from_db.spec(activation).identity(workspace).stored()
    generation = Generation.objects.create(activation=activation, number=1, identity=identity)
    Record.objects.create(generation=generation, key="1", key_digest=1, tried="rejected", attempts=1)


def test_file_creates_everything_in_it() -> None:
    assert lines() == [
        "+ source Shop",
        "+ model Companies",
        "+ model Paying",
        "+ segment Norwegians",
        "+ connection Our Attio",
        "+ connection Our Intercom",
        "+ destination Attio companies",
        "+ destination Intercom companies",
        "+ activation Norwegians to Attio",
        "+ activation Companies to Intercom",
    ]
    assert Connection.objects.get(name="Our Attio").secrets == {"token": "attio-secret-1"}
    assert Segment.objects.get().where["all"][0] == {"field": "country", "is": "equals", "value": "NO"}
    activation = Activation.objects.get(name="Norwegians to Attio")
    assert (activation.mode, activation.match_column, activation.match_field) == ("upsert", "domain", "domains")
    assert (activation.thresholds, activation.recipients, activation.backfill) == (
        {"rejected_percent": 7},
        ["ops@example.com"],
        "new",
    )


def test_mappings_keep_the_order_and_options_of_the_file() -> None:
    apply()
    rows = Activation.objects.get(name="Norwegians to Attio").mappings.values_list(
        "column", "value", "target", "when_empty", "multi"
    )
    assert list(rows) == [
        ("name", None, "name", "keep", "replace"),
        ("country", None, "description", "clear", "replace"),
        ("", "Customer", "categories", "keep", "add"),
    ]
    custom = Activation.objects.get(name="Companies to Intercom").mappings.filter(custom_attribute=True)
    assert list(custom.values_list("column", "target")) == [("mrr", "mrr"), ("country", "country")]


def test_columns_come_from_the_source_with_their_types() -> None:
    apply()
    types = DataModel.objects.get(name="Companies").column_types()
    assert list(types) == ["id", "name", "domain", "mrr", "country", "active", "since"]
    assert (types["id"], types["name"], types["mrr"]) == ("integer", "text", "number")
    assert list(DataModel.objects.get(name="Paying").column_types()) == ["id", "name", "domain"]


def test_applying_twice_changes_nothing() -> None:
    apply()
    before = from_database.read()
    tasks = list(PeriodicTask.objects.values_list("name", "date_changed"))
    assert lines() == ["= 10 unchanged", "Nothing changed."]
    assert from_database.read() == before
    assert list(PeriodicTask.objects.values_list("name", "date_changed")) == tasks


def test_only_differences_are_applied_and_listed() -> None:
    apply()
    text = replaced(
        ("to: name}\n", "to: name, when_empty: clear}\n"), ("mode: upsert", "mode: update"), ("value: NO", "value: FR")
    )
    assert lines(text) == [
        "~ segment Norwegians: where",
        "~ activation Norwegians to Attio: mode, fields.name",
        "= 8 unchanged",
    ]
    assert Activation.objects.get(name="Norwegians to Attio").mode == "update"


def test_dry_run_prints_the_same_plan_and_applies_nothing() -> None:
    planned = lines(dry_run=True)
    assert not Source.objects.exists()
    assert planned == lines()


def test_what_is_not_in_the_file_is_left_unchanged() -> None:
    apply()
    Source.objects.create(name="By hand", engine="sqlite", config={"path": "shop.sqlite3"})
    only = shop.WORKSPACE.split("models:")[0]
    printed = lines(only)
    assert printed[0] == "= 1 unchanged"
    assert printed[1].startswith("Not in the file, left unchanged: source By hand, model Companies")
    assert Activation.objects.count() == 2


def test_names_may_refer_to_the_database() -> None:
    apply()
    text = "segments:\n  - {name: Everybody, model: Companies}\n"
    assert lines(text)[0] == "+ segment Everybody"
    assert Segment.objects.get(name="Everybody").model.name == "Companies"


def test_omitted_secret_is_kept() -> None:
    apply()
    text = replaced((', token: "${OUR_ATTIO}"', ""))
    assert lines(text)[-1] == "Nothing changed."
    assert Connection.objects.get(name="Our Attio").secrets == {"token": "attio-secret-1"}


def test_omitted_secret_is_not_kept_for_a_different_recipient() -> None:
    """A person who may change the file may not know the secret."""
    apply()
    source = Source.objects.create(
        name="Warehouse",
        engine="postgres",
        config={"host": "db", "port": 5432, "database": "shop", "user": "reader"},
        secrets={"password": "hunter2"},
    )
    moved = "{name: Warehouse, engine: postgres, host: db2, database: shop, user: reader}"
    elsewhere = "{name: Our Intercom, platform: intercom, region: au}"
    assert refusals(f"sources:\n  - {moved}\nconnections:\n  - {elsewhere}\n") == [
        (2, "`password`: Enter the password again, because the host has changed."),
        (4, "`token`: Enter the access token again, because the region has changed."),
    ]
    source.refresh_from_db()
    assert source.config["host"] == "db"
    assert Connection.objects.get(name="Our Intercom").config["region"] == "eu"


def test_new_secret_is_listed_by_its_setting_and_not_by_its_value() -> None:
    apply()
    Connection.objects.update(health="ok", health_message="Signed in.")
    applied = applying.apply(shop.WORKSPACE, {**shop.SECRETS, "OUR_ATTIO": "attio-secret-2"}, sources.columns)
    assert next(iter(applied.lines())) == "~ connection Our Attio: token"
    assert "secret" not in str(applied)
    changed = Connection.objects.get(name="Our Attio")
    assert (changed.secrets, changed.health) == ({"token": "attio-secret-2"}, "unknown")
    assert Connection.objects.get(name="Our Intercom").health == "ok"


def test_write_policy_is_applied_to_fields_and_custom_attributes() -> None:
    strict = replaced(
        ("{from: name, to: name}", "{from: name, to: name, write: if_empty}"),
        ("[mrr, country]", "[{from: mrr, write: on_create}, country]"),
    )
    apply(strict)
    policies = Activation.objects.get(name="Norwegians to Attio").mappings.values_list("target", "policy")
    assert dict(policies) == {"name": "if_empty", "description": "always", "categories": "always"}
    custom = Activation.objects.get(name="Companies to Intercom").mappings.filter(custom_attribute=True)
    assert dict(custom.values_list("target", "policy")) == {"mrr": "on_create", "country": "always"}
    slot = custom.get(target="mrr").slot
    apply()
    assert custom.get(target="mrr").slot > slot


def test_mapping_keeps_its_slot_and_a_new_target_gets_a_new_one() -> None:
    apply()
    before = dict(Activation.objects.get(name="Norwegians to Attio").mappings.values_list("target", "slot"))
    apply(
        replaced(
            (
                "{from: name, to: name}\n      - {from: country, to: description",
                "{from: name, to: team}\n      - {from: name, to: description",
            )
        )
    )
    after = dict(Activation.objects.get(name="Norwegians to Attio").mappings.values_list("target", "slot"))
    assert after["description"] == before["description"]
    assert after["categories"] == before["categories"]
    assert "name" not in after
    assert after["team"] not in before.values()


def test_each_schedule_has_its_periodic_task() -> None:
    apply()
    tasks: dict[str, Any] = {str(schedule): schedule.task for schedule in Schedule.objects.all()}
    assert set(tasks) == {
        "every 15 minutes",
        "0 7 * * 1-5 (Europe/Paris)",
        "monday, wednesday at 09:00 (Europe/Paris)",
    }
    assert all(task is not None and task.enabled for task in tasks.values())
    assert tasks["every 15 minutes"].interval.every == 15


def test_unchanged_schedule_keeps_its_row_and_a_removed_one_loses_its_task() -> None:
    apply()
    kept = Schedule.objects.get(kind="interval")
    printed = lines(replaced(('      - {cron: "0 7 * * 1-5", timezone: Europe/Paris}\n', "      - {every: 2 hours}\n")))
    assert printed[0] == "~ activation Norwegians to Attio: schedules"
    assert Schedule.objects.filter(pk=kept.pk).exists()
    assert sorted(map(str, Schedule.objects.filter(kind="interval"))) == ["every 15 minutes", "every 2 hours"]
    assert not Schedule.objects.filter(kind="cron").exists()
    assert PeriodicTask.objects.filter(task="activations.tasks.fire").count() == 3


def test_order_of_schedules_does_not_matter() -> None:
    apply()
    every, cron = "      - {every: 15 minutes}\n", '      - {cron: "0 7 * * 1-5", timezone: Europe/Paris}\n'
    assert lines(replaced((every + cron, cron + every)))[-1] == "Nothing changed."


def test_pausing_stops_the_periodic_tasks() -> None:
    apply()
    assert (
        lines(replaced(("backfill: new", "backfill: new\n    paused: true")))[0]
        == "~ activation Norwegians to Attio: paused"
    )
    assert not PeriodicTask.objects.filter(task="activations.tasks.fire", enabled=True).exists()


@pytest.mark.parametrize(
    ("written", "mode"),
    [("mode: insert", "insert"), ("insert_new: true", "upsert"), ("insert_new: false", "update"), ("", "default")],
)
def test_insert_new_is_an_alias_of_mode(written: str, mode: str) -> None:
    apply(replaced(("    insert_new: false\n", f"    {written}\n" if written else "")))
    # Without either, the mode is the default of the service: update for Intercom.
    expected = "update" if mode == "default" else mode
    assert Activation.objects.get(name="Companies to Intercom").mode == expected


def test_table_of_a_file_source_is_optional(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id,name\n1,Ada\n")
    text = (
        "sources: [{name: People file, engine: csv, path: people.csv}]\n"
        "models: [{name: People, source: People file, kind: users, primary_key: id}]\n"
    )
    assert lines(text) == ["+ source People file", "+ model People"]
    assert DataModel.objects.get().table == "people"
    assert lines(text)[-1] == "Nothing changed."
    assert "table" not in export.text(from_database.read())


def test_settings_of_a_file_source_are_applied_exported_and_refused_by_line(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_bytes("sep=;\nid;price;seen\n1;12,50;1719792000\n".encode("utf-16"))
    text = """\
sources:
  - name: People file
    engine: csv
    path: people.csv
    separator: semicolon
    decimal: comma
    encoding: utf-16
    bad_lines: skip
    columns: {id: text, seen: epoch_seconds}
models: [{name: People, source: People file, kind: users, primary_key: id}]
"""
    assert lines(text) == ["+ source People file", "+ model People"]
    assert DataModel.objects.get().column_types() == {"id": "text", "price": "number", "seen": "timestamp"}
    exported = export.text(from_database.read())
    assert {"bad_lines: skip", "decimal: comma"} <= {line.strip() for line in exported.splitlines()}
    assert lines(exported)[-1] == lines(text)[-1] == "Nothing changed."
    ((line, sentence),) = refusals(text.replace("epoch_seconds", "epoch_hours"))
    assert (line, "epoch_seconds" in sentence) == (9, True)


def test_changed_column_of_the_source_changes_the_model(tmp_path: Path) -> None:
    apply()
    (tmp_path / "shop.sqlite3").unlink()
    shop.make(tmp_path, extra="plan text")
    assert lines()[0] == "~ model Companies: columns"
    assert "plan" in DataModel.objects.get(name="Companies").column_types()
    assert lines()[-1] == "Nothing changed."


def test_changed_match_needs_no_consent_before_anything_was_sent() -> None:
    apply()
    assert (
        lines(replaced(("match: {from: domain", "match: {from: name")))[0]
        == "~ activation Norwegians to Attio: match.from"
    )
    assert not Activation.objects.get(name="Norwegians to Attio").start_afresh


def test_changed_match_needs_consent_after_something_was_sent() -> None:
    apply()
    store_one_record("Norwegians to Attio")
    text = replaced(("match: {from: domain", "match: {from: name"))
    ((line, sentence),) = refusals(text)
    assert text.splitlines()[line - 1] == "  - name: Norwegians to Attio"
    assert "The match identifies records" in sentence
    assert "--yes" in sentence
    assert Activation.objects.get(name="Norwegians to Attio").match_column == "domain"

    apply(text, yes=True)
    changed = Activation.objects.get(name="Norwegians to Attio")
    assert (changed.match_column, changed.start_afresh) == ("name", True)


@pytest.fixture
def attio_workspace(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The ID of the workspace that every Attio token opens."""
    with Server(sandboxes["attio"](shop.SECRETS["OUR_ATTIO"])) as server:
        monkeypatch.setenv("ATTIO_API_URL", server.url)
        with opened(Connection(platform="attio", secrets={"token": shop.SECRETS["OUR_ATTIO"]})) as client:
            yield platforms["attio"].check(client).id


SECOND_CONNECTION = (
    'connections:\n  - {name: Second Attio, platform: attio, token: "${OUR_ATTIO}"}\n'
    "destinations:\n  - {name: Attio companies, connection: Second Attio, service: attio.companies}\n"
)


def test_connection_to_the_same_vendor_workspace_needs_no_consent(attio_workspace: str) -> None:
    apply()
    store_one_record("Norwegians to Attio", workspace=attio_workspace)
    Connection.objects.filter(name="Our Attio").update(workspace_id=attio_workspace)
    apply(SECOND_CONNECTION)
    assert Destination.objects.get(name="Attio companies").connection.name == "Second Attio"
    assert not Activation.objects.get(name="Norwegians to Attio").start_afresh


@pytest.mark.usefixtures("attio_workspace")
def test_connection_to_a_different_vendor_workspace_needs_consent() -> None:
    apply()
    store_one_record("Norwegians to Attio", workspace="elsewhere")
    Connection.objects.filter(name="Our Attio").update(workspace_id="elsewhere")
    assert "The workspace identifies records" in refusals(SECOND_CONNECTION)[0][1]
    apply(SECOND_CONNECTION, yes=True)
    assert Activation.objects.get(name="Norwegians to Attio").start_afresh


def test_run_checks_the_workspace_of_a_vendor_that_did_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTIO_API_URL", "http://127.0.0.1:1")
    apply()
    store_one_record("Norwegians to Attio", workspace="elsewhere")
    apply(SECOND_CONNECTION)
    assert not Activation.objects.get(name="Norwegians to Attio").start_afresh


def test_reverting_the_match_cancels_the_reset() -> None:
    apply()
    store_one_record("Norwegians to Attio")
    changed = replaced(("match: {from: domain", "match: {from: name"))
    apply(changed, yes=True)
    assert Activation.objects.get(name="Norwegians to Attio").start_afresh
    apply()
    assert not Activation.objects.get(name="Norwegians to Attio").start_afresh


def test_consent_affects_only_activations_that_need_it() -> None:
    apply()
    store_one_record("Norwegians to Attio")
    apply(replaced(("rejected_percent: 7", "rejected_percent: 8")), yes=True)
    assert not Activation.objects.filter(start_afresh=True).exists()


def test_edit_made_while_columns_are_read_is_not_overwritten() -> None:
    apply()

    def read_columns(*args: Any) -> Any:
        Activation.objects.filter(name="Norwegians to Attio").update(paused=True)
        return sources.columns(*args)

    with pytest.raises(Misconfigured, match="changed in the meantime"):
        applying.apply(replaced(("mode: upsert", "mode: update")), shop.SECRETS, read_columns)
    assert Activation.objects.get(name="Norwegians to Attio").mode == "upsert"


@pytest.mark.usefixtures("attio_workspace")
def test_command_tests_what_it_writes_and_reports_it(tmp_path: Path, capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("INTERCOM_API_URL", "http://127.0.0.1:1")
    path = tmp_path / "workspace.yaml"
    path.write_text(shop.WORKSPACE)

    def reports(*options: str, **secrets: str) -> list[str]:
        for name, value in {**shop.SECRETS, **secrets}.items():
            monkeypatch.setenv(name, value)
        call_command("apply", str(path), *options)
        lines = capsys.readouterr().out.splitlines()
        return [line for line in lines if line[0] in " !" and ("connection " in line or "source " in line)]

    source, attio, intercom = reports()
    assert source.startswith("  source Shop: works. Opened the file")
    assert attio == "  connection Our Attio: works. Connected to Sandbox."
    assert intercom.startswith("! connection Our Intercom: saved, but not working. ")
    (attio,) = reports(OUR_ATTIO="wrong")
    assert attio.startswith("! connection Our Attio: saved, but not working. Attio does not recognize")
    assert Connection.objects.get(name="Our Attio").health == "failed"
    assert reports("--no-test", OUR_ATTIO="different") == []


def test_command_prints_a_line_for_each_entity(tmp_path: Path, capsys: Any, monkeypatch: Any) -> None:
    for name, value in {"ATTIO_API_URL": "http://127.0.0.1:1", **shop.SECRETS}.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "workspace.yaml"
    path.write_text(shop.WORKSPACE)
    call_command("apply", str(path), "--dry-run")
    assert capsys.readouterr().out.splitlines()[-1] == "Dry run: nothing was applied."
    call_command("apply", str(path))
    assert capsys.readouterr().out.splitlines()[0] == "+ source Shop"
    call_command("apply", str(path))
    assert capsys.readouterr().out.splitlines() == ["= 10 unchanged", "Nothing changed."]


def test_changed_type_of_an_attribute_is_reported_and_confirmed_with_yes(
    tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    for name, value in shop.SECRETS.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "workspace.yaml"
    path.write_text(shop.WORKSPACE)
    apply()
    activation = Activation.objects.get(name="Norwegians to Attio")
    activation.mappings.filter(target="description").update(target_type="text")
    keep(
        activation.destination,
        [Field("name", "Name", "text"), Field("description", "Description", "number")],
        timezone.now(),
    )

    def notes(*options: str) -> list[str]:
        call_command("apply", str(path), *options)
        return [line for line in capsys.readouterr().out.splitlines() if line.startswith("!")]

    for options in ((), ("--dry-run", "--yes")):
        (line,) = notes(*options)
        assert "was text when it was mapped, and is number now" in line
        assert "--yes" in line
    assert notes("--yes") == ["! activation Norwegians to Attio: attribute types confirmed"]
    assert activation.mappings.get(target="description").target_type == "number"
    assert notes() == []
