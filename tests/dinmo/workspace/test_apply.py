"""What `apply` does to the database: all or nothing, once, and without disturbing what was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from activations.models import Activation, Generation, Record, Schedule
from activations.setup import saved
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


def remember_one(name: str, workspace: str = "") -> None:
    """A run of the activation has sent a record to a workspace of the vendor, which rejected it."""
    activation = Activation.objects.get(name=name)
    identity = saved.spec(activation).identity(workspace).stored()
    generation = Generation.objects.create(activation=activation, number=1, identity=identity)
    Record.objects.create(generation=generation, key="1", key_digest=1, tried="rejected", attempts=1)


def test_a_file_creates_everything_it_says() -> None:
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
    assert (activation.rejected_percent, activation.recipients, activation.backfill) == (7, ["ops@example.com"], "new")


def test_the_mapping_rows_keep_the_order_and_options_of_the_file() -> None:
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
    stood = from_database.read()
    tasks = list(PeriodicTask.objects.values_list("name", "date_changed"))
    assert lines() == ["= 10 unchanged", "Nothing changed."]
    assert from_database.read() == stood
    assert list(PeriodicTask.objects.values_list("name", "date_changed")) == tasks


def test_only_what_differs_is_changed_and_named() -> None:
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


def test_a_dry_run_says_the_same_and_applies_nothing() -> None:
    said = lines(dry_run=True)
    assert not Source.objects.exists()
    assert said == lines()


def test_what_the_file_does_not_say_is_left_alone() -> None:
    apply()
    Source.objects.create(name="By hand", engine="sqlite", config={"path": "shop.sqlite3"})
    only = shop.WORKSPACE.split("models:")[0]
    said = lines(only)
    assert said[0] == "= 1 unchanged"
    assert said[1].startswith("Not in the file and left as they are: source By hand, model Companies")
    assert Activation.objects.count() == 2


def test_names_may_refer_to_what_stands_in_the_database() -> None:
    apply()
    text = "segments:\n  - {name: Everybody, model: Companies}\n"
    assert lines(text)[0] == "+ segment Everybody"
    assert Segment.objects.get(name="Everybody").model.name == "Companies"


def test_an_omitted_secret_is_kept() -> None:
    apply()
    text = replaced((', token: "${OUR_ATTIO}"', ""))
    assert lines(text)[-1] == "Nothing changed."
    assert Connection.objects.get(name="Our Attio").secrets == {"token": "attio-secret-1"}


def test_a_new_secret_is_a_change_that_names_the_setting_and_not_its_value() -> None:
    apply()
    Connection.objects.update(health="ok", health_message="Signed in.")
    made = applying.apply(shop.WORKSPACE, {**shop.SECRETS, "OUR_ATTIO": "attio-secret-2"}, sources.columns)
    assert next(iter(made.lines())) == "~ connection Our Attio: token"
    assert "secret" not in str(made)
    changed = Connection.objects.get(name="Our Attio")
    assert (changed.secrets, changed.health) == ({"token": "attio-secret-2"}, "unknown")
    assert Connection.objects.get(name="Our Intercom").health == "ok"


def test_a_mapping_that_stays_keeps_its_slot_and_another_target_gets_a_new_one() -> None:
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
    found: dict[str, Any] = {str(schedule): schedule.task for schedule in Schedule.objects.all()}
    assert set(found) == {
        "every 15 minutes",
        "0 7 * * 1-5 (Europe/Paris)",
        "monday, wednesday at 09:00 (Europe/Paris)",
    }
    assert all(task is not None and task.enabled for task in found.values())
    assert found["every 15 minutes"].interval.every == 15


def test_a_schedule_that_stays_keeps_its_row_and_one_that_goes_takes_its_task_along() -> None:
    apply()
    kept = Schedule.objects.get(kind="interval")
    said = lines(replaced(('      - {cron: "0 7 * * 1-5", timezone: Europe/Paris}\n', "      - {every: 2 hours}\n")))
    assert said[0] == "~ activation Norwegians to Attio: schedules"
    assert Schedule.objects.filter(pk=kept.pk).exists()
    assert sorted(map(str, Schedule.objects.filter(kind="interval"))) == ["every 15 minutes", "every 2 hours"]
    assert not Schedule.objects.filter(kind="cron").exists()
    assert PeriodicTask.objects.filter(task="activations.tasks.fire").count() == 3


def test_the_order_of_schedules_is_no_change() -> None:
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
def test_insert_new_is_another_word_for_a_mode(written: str, mode: str) -> None:
    apply(replaced(("    insert_new: false\n", f"    {written}\n" if written else "")))
    # Without either, Intercom updates: it is the service's own default.
    expected = "update" if mode == "default" else mode
    assert Activation.objects.get(name="Companies to Intercom").mode == expected


def test_the_table_of_a_file_may_be_left_out(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id,name\n1,Ada\n")
    text = (
        "sources: [{name: People file, engine: csv, path: people.csv}]\n"
        "models: [{name: People, source: People file, kind: users, primary_key: id}]\n"
    )
    assert lines(text) == ["+ source People file", "+ model People"]
    assert DataModel.objects.get().table == "people"
    assert lines(text)[-1] == "Nothing changed."
    assert "table" not in export.text(from_database.read())


def test_a_changed_column_of_the_source_is_a_change_of_the_model(tmp_path: Path) -> None:
    apply()
    (tmp_path / "shop.sqlite3").unlink()
    shop.make(tmp_path, extra="plan text")
    assert lines()[0] == "~ model Companies: columns"
    assert "plan" in DataModel.objects.get(name="Companies").column_types()
    assert lines()[-1] == "Nothing changed."


def test_a_changed_match_of_an_activation_that_has_sent_nothing_needs_no_consent() -> None:
    apply()
    assert (
        lines(replaced(("match: {from: domain", "match: {from: name")))[0]
        == "~ activation Norwegians to Attio: match.from"
    )
    assert not Activation.objects.get(name="Norwegians to Attio").start_afresh


def test_a_changed_match_of_an_activation_that_has_sent_something_asks_first() -> None:
    apply()
    remember_one("Norwegians to Attio")
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
    """The id of the workspace that every Attio token opens."""
    with Server(sandboxes["attio"](shop.SECRETS["OUR_ATTIO"])) as server:
        monkeypatch.setenv("ATTIO_API_URL", server.url)
        with opened(Connection(platform="attio", secrets={"token": shop.SECRETS["OUR_ATTIO"]})) as client:
            yield platforms["attio"].check(client).id


SECOND_CONNECTION = (
    'connections:\n  - {name: Second Attio, platform: attio, token: "${OUR_ATTIO}"}\n'
    "destinations:\n  - {name: Attio companies, connection: Second Attio, service: attio.companies}\n"
)


def test_a_connection_to_the_same_vendor_workspace_needs_no_consent(attio_workspace: str) -> None:
    apply()
    remember_one("Norwegians to Attio", workspace=attio_workspace)
    Connection.objects.filter(name="Our Attio").update(workspace_id=attio_workspace)
    apply(SECOND_CONNECTION)
    assert Destination.objects.get(name="Attio companies").connection.name == "Second Attio"
    assert not Activation.objects.get(name="Norwegians to Attio").start_afresh


@pytest.mark.usefixtures("attio_workspace")
def test_a_connection_to_a_different_vendor_workspace_needs_consent() -> None:
    apply()
    remember_one("Norwegians to Attio", workspace="elsewhere")
    Connection.objects.filter(name="Our Attio").update(workspace_id="elsewhere")
    assert "The workspace identifies records" in refusals(SECOND_CONNECTION)[0][1]
    apply(SECOND_CONNECTION, yes=True)
    assert Activation.objects.get(name="Norwegians to Attio").start_afresh


def test_a_vendor_that_does_not_answer_leaves_the_question_to_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTIO_API_URL", "http://127.0.0.1:1")
    apply()
    remember_one("Norwegians to Attio", workspace="elsewhere")
    apply(SECOND_CONNECTION)
    assert not Activation.objects.get(name="Norwegians to Attio").start_afresh


def test_going_back_to_what_was_synchronized_needs_no_reset_any_longer() -> None:
    apply()
    remember_one("Norwegians to Attio")
    changed = replaced(("match: {from: domain", "match: {from: name"))
    apply(changed, yes=True)
    assert Activation.objects.get(name="Norwegians to Attio").start_afresh
    apply()
    assert not Activation.objects.get(name="Norwegians to Attio").start_afresh


def test_consent_touches_only_activations_that_need_it() -> None:
    apply()
    remember_one("Norwegians to Attio")
    apply(replaced(("rejected_percent: 7", "rejected_percent: 8")), yes=True)
    assert not Activation.objects.filter(start_afresh=True).exists()


def test_an_edit_made_while_the_sources_answer_is_not_overwritten() -> None:
    apply()

    def ask(*args: Any) -> Any:
        Activation.objects.filter(name="Norwegians to Attio").update(paused=True)
        return sources.columns(*args)

    with pytest.raises(Misconfigured, match="changed in the meantime"):
        applying.apply(replaced(("mode: upsert", "mode: update")), shop.SECRETS, ask)
    assert Activation.objects.get(name="Norwegians to Attio").mode == "upsert"


def test_the_command_prints_a_line_for_each_thing(tmp_path: Path, capsys: Any, monkeypatch: Any) -> None:
    for name, value in shop.SECRETS.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "workspace.yaml"
    path.write_text(shop.WORKSPACE)
    call_command("apply", str(path), "--dry-run")
    assert capsys.readouterr().out.splitlines()[-1] == "Dry run: nothing was applied."
    call_command("apply", str(path))
    assert capsys.readouterr().out.splitlines()[0] == "+ source Shop"
    call_command("apply", str(path))
    assert capsys.readouterr().out.splitlines() == ["= 10 unchanged", "Nothing changed."]


def test_another_type_of_an_attribute_is_told_and_confirmed_with_yes(
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

    def told(*options: str) -> list[str]:
        call_command("apply", str(path), *options)
        return [line for line in capsys.readouterr().out.splitlines() if line.startswith("!")]

    for options in ((), ("--dry-run", "--yes")):
        (line,) = told(*options)
        assert "was text when it was mapped, and is number now" in line
        assert "--yes" in line
    assert told("--yes") == ["! activation Norwegians to Attio: its attributes' types are confirmed"]
    assert activation.mappings.get(target="description").target_type == "number"
    assert told() == []
