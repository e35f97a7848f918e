"""Backups of a running installation, restored into it: nothing is lost, and no more is sent again than has to be."""

from __future__ import annotations

import os
import stat
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from activations.models import Activation, Change, Record, Run, Schedule
from activations.runs import lease
from core.errors import Misconfigured
from destinations.models import Connection
from dinmo.backup import archive, restore, schema, uploads
from segments.models import Source
from tests.activations.conftest import run, writes
from tests.dinmo.backup.conftest import PASSPHRASE

if TYPE_CHECKING:
    from pathlib import Path

    from destinations.sandbox.base import Sandbox
    from tests.activations.conftest import Shop
    from tests.dinmo.backup.conftest import Backups

pytestmark = pytest.mark.django_db(transaction=True)


def rows(model: Any) -> list[dict[str, Any]]:
    return list(model._base_manager.order_by("pk").values())


def test_everything_is_as_it_was(shop: Shop, to_attio: Activation, backups: Backups) -> None:
    shop.fill(30)
    run(to_attio)
    kept = (Source, Connection, Activation, Schedule, Run, Change, Record)
    before = [rows(model) for model in kept]
    assert len(before[-1]) == 30
    backup = backups.make()
    shop.set(3, "name", "Renamed")
    run(to_attio)
    Activation.objects.all().delete()
    Source.objects.create(name="Later", engine="sqlite")
    done = backups.restore(backup)
    assert [rows(model) for model in kept] == before
    assert done.rows > 60


def test_run_after_a_restore_sends_nothing(shop: Shop, attio: Sandbox, to_attio: Activation, backups: Backups) -> None:
    shop.fill(10)
    run(to_attio)
    backups.restore(backups.make())
    writes(attio)
    done = run(Activation.objects.get())
    assert (done.state, done.unchanged, done.planned) == ("succeeded", 10, 0)
    assert writes(attio) == []


def test_older_backup_sends_again_only_what_was_accepted_since(
    shop: Shop, attio: Sandbox, to_attio: Activation, backups: Backups
) -> None:
    shop.fill(10)
    run(to_attio)
    backup = backups.make()
    shop.set(2, "description", "Changed")
    shop.add((11, "Company 11", "company11.com", "No. 11", "pro", 1))
    assert run(to_attio).accepted == 2
    assert backups.restore(backup).forgotten == 1
    writes(attio)
    done = run(Activation.objects.get())
    assert (done.planned, done.accepted + done.matched, done.unchanged) == (2, 2, 9)
    assert len(attio.state()["records"]) == 11


def test_value_that_changed_back_is_sent_although_the_older_baseline_has_it(
    shop: Shop, attio: Sandbox, to_attio: Activation, backups: Backups
) -> None:
    shop.fill(3)
    run(to_attio)
    backup = backups.make()
    shop.set(2, "description", "B")
    run(to_attio)
    shop.set(2, "description", "No. 2")
    backups.restore(backup)
    assert run(Activation.objects.get()).accepted == 1
    held = {record["values"]["name"]: record["values"]["description"] for record in attio.state()["records"]}
    assert held["Company 2"] == "No. 2"


def test_newer_backup_sends_nothing_again(shop: Shop, attio: Sandbox, to_attio: Activation, backups: Backups) -> None:
    shop.fill(5)
    run(to_attio)
    older = backups.make("older")
    shop.set(2, "description", "B")
    run(to_attio)
    newer = backups.make("newer")
    # As on a machine that the installation moves back to.
    Activation.objects.all().delete()
    assert backups.restore(older).forgotten == 0
    assert backups.restore(newer).forgotten == 0
    writes(attio)
    assert run(Activation.objects.get()).unchanged == 5
    assert writes(attio) == []


def test_record_that_was_being_sent_is_not_sent_again_if_the_backup_knows_its_outcome(
    shop: Shop, to_attio: Activation, backups: Backups
) -> None:
    shop.fill(3)
    run(to_attio)
    backup = backups.make()
    Change.objects.update(state=Change.State.SENDING, outcome="", settled_at=None)
    Record.objects.all().delete()
    assert backups.restore(backup).forgotten == 0
    assert run(Activation.objects.get()).unchanged == 3


def test_record_that_was_being_sent_is_sent_again_if_the_backup_knows_nothing_of_it(
    shop: Shop, to_attio: Activation, backups: Backups
) -> None:
    shop.fill(3)
    run(to_attio)
    backup = backups.make()
    Change.objects.filter(key="2").update(
        state=Change.State.SENDING, outcome="", settled_at=None, first_attempt_at=timezone.now()
    )
    assert backups.restore(backup).forgotten == 1
    assert run(Activation.objects.get()).planned == 1


def test_run_that_was_live_is_continued_by_the_sweep(shop: Shop, to_attio: Activation, backups: Backups) -> None:
    live = Run.objects.create(activation=to_attio, number=1, state="delivering", trigger="manual")
    Run.objects.update(created_at=timezone.now() - timedelta(hours=1))
    assert lease.claim(live.pk)
    assert lease.abandoned() == []
    backups.restore(backups.make())
    assert lease.abandoned() == [live.pk]


def test_sessions_are_not_restored(to_attio: Activation, backups: Backups) -> None:
    Session.objects.create(session_key="k", session_data="d", expire_date=timezone.now())
    backups.restore(backups.make())
    assert not Session.objects.exists()


def test_next_row_takes_a_number_after_the_restored_ones(to_attio: Activation, backups: Backups) -> None:
    backups.restore(backups.make())
    assert Source.objects.create(name="Next", engine="sqlite").pk > Source.objects.get(name="Shop").pk


def test_upload_is_restored_and_marker_is_gone(shop: Shop, to_attio: Activation, backups: Backups) -> None:
    uploads.folder().mkdir()
    (uploads.folder() / "list.csv").write_text("id\n1\n")
    (uploads.folder() / "unused.csv").write_text("id\n2\n")
    Source.objects.update(uploaded_path="uploads/list.csv")
    backup = backups.make()
    (uploads.folder() / "list.csv").write_text("id\n1\n2\n3\n")
    assert backups.restore(backup).uploads == 1
    assert (uploads.folder() / "list.csv").read_text() == "id\n1\n"
    assert {path.name for path in uploads.folder().iterdir()} == {"list.csv", "unused.csv"}
    assert not uploads.is_unfinished()


def test_backup_is_private_and_has_no_secret_in_clear(to_attio: Activation, backups: Backups, settings: Any) -> None:
    backup = backups.make()
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert settings.ENCRYPTION_KEYS[0].encode() not in backup.read_bytes()
    assert [path.name for path in backups.folder.glob(".*")] == []


def test_keys_of_the_backup_are_added_to_those_in_the_state_directory(
    to_attio: Activation, backups: Backups, settings: Any
) -> None:
    theirs = settings.ENCRYPTION_KEYS
    backup = backups.make()
    ours = settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    backups.restore(backup)
    written = backups.folder / "encryption_key"
    assert written.read_text().split() == [*theirs, *ours]
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    settings.ENCRYPTION_KEYS = written.read_text().split()
    assert Connection.objects.get().secrets == {"token": "sandbox-token"}


def test_environment_without_the_keys_is_refused_before_anything_changes(
    to_attio: Activation, backups: Backups, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = backups.make()
    theirs = settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    monkeypatch.setenv("ENCRYPTION_KEYS", settings.ENCRYPTION_KEYS[0])
    Source.objects.update(name="Now")
    with pytest.raises(Misconfigured) as refused:
        backups.restore(backup)
    assert refused.value.code == "backup_keys_missing"
    assert Source.objects.filter(name="Now").exists()
    monkeypatch.setenv("BACKUP_PASSPHRASE", PASSPHRASE)
    call_command("restore", str(backup), keys_to=backups.folder / "keys")
    assert f"ENCRYPTION_KEYS={theirs[0]}" in (backups.folder / "keys").read_text()


def test_damaged_backup_changes_nothing(to_attio: Activation, backups: Backups) -> None:
    backup = backups.make()
    backup.write_bytes(backup.read_bytes()[:-1])
    Source.objects.update(name="Now")
    with pytest.raises(Misconfigured):
        backups.restore(backup)
    assert Source.objects.get().name == "Now"


def test_failure_in_the_middle_changes_nothing(
    to_attio: Activation, backups: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads.folder().mkdir()
    (uploads.folder() / "list.csv").write_text("then")
    Source.objects.update(uploaded_path="uploads/list.csv")
    backup = backups.make()
    (uploads.folder() / "list.csv").write_text("now")
    Source.objects.update(name="Now")
    monkeypatch.setattr(restore, "_complete", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        backups.restore(backup)
    assert Source.objects.get().name == "Now"
    assert [(path.name, path.read_text()) for path in uploads.folder().iterdir()] == [("list.csv", "now")]


def test_newer_backup_is_refused(to_attio: Activation, backups: Backups, monkeypatch: pytest.MonkeyPatch) -> None:
    backup = backups.make()
    known, latest = schema.known, max(schema.applied())
    monkeypatch.setattr(schema, "known", lambda migrations: known(migrations) - {latest})
    with backup.open("rb") as file, pytest.raises(Misconfigured) as refused:
        restore.inspect(file, PASSPHRASE)
    assert refused.value.code == "backup_newer"


def test_database_with_rows_is_replaced_only_by_its_name(
    to_attio: Activation, backups: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKUP_PASSPHRASE", PASSPHRASE)
    backup = str(backups.make())
    Source.objects.update(name="Now")
    for given in (None, "something"):
        with pytest.raises(CommandError):
            call_command("restore", backup, replace=given)
    call_command("restore", backup, check=True)
    assert Source.objects.get().name == "Now"
    call_command("restore", backup, replace=os.path.basename(connection.settings_dict["NAME"]))
    assert Source.objects.get().name == "Shop"


def test_short_passphrase_is_refused(backups: Backups, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BACKUP_PASSPHRASE", "short")
    with pytest.raises(CommandError, match="at least"):
        call_command("backup", str(tmp_path / "x"))
    assert not (tmp_path / "x").exists()


def test_every_table_but_sessions_is_in_a_backup() -> None:
    tables = {table.name for table in schema.backed_up(schema.applied())}
    assert schema.existing() - tables == schema.LEFT_OUT | {"django_migrations"}


def test_keys_are_not_shown() -> None:
    assert "k1" not in repr(archive.Keys(("k1",), "k1"))
