"""Keys that several containers share in KEYS_DIR: created once, the same for all, and announced."""

from __future__ import annotations

import multiprocessing
import os
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet
from django.core.management.utils import get_random_secret_key

from dinmo import keys
from dinmo.keys import ENCRYPTION_FILE, SECRET_FILE, load_or_create
from tests.dinmo.live_processes import environment, manage

if TYPE_CHECKING:
    from pathlib import Path

STARTS, TOGETHER = 25, 8
DATABASE = {"PUBLIC_URL": "https://activate.example.com", "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing"}
KEYS = "from django.conf import settings as s; print(s.SECRET_KEY, *s.ENCRYPTION_KEYS)"


def _start(directory: Path, barrier: multiprocessing.synchronize.Barrier, results: multiprocessing.Queue[str]) -> None:
    for number in range(STARTS):
        barrier.wait()
        results.put(f"{number} {load_or_create(directory / str(number), lambda: f'key of {os.getpid()}')}")


def test_processes_that_start_together_agree_on_a_key(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(TOGETHER), context.Queue()
    processes = [context.Process(target=_start, args=(tmp_path, barrier, results)) for _ in range(TOGETHER)]
    for process in processes:
        process.start()
    read = [results.get(timeout=60) for _ in range(STARTS * TOGETHER)]
    for process in processes:
        process.join()
    assert len(set(read)) == STARTS
    assert {len(line.split("key of ")) for line in read} == {2}
    assert {path.name for path in tmp_path.iterdir()} == {str(number) for number in range(STARTS)}


def test_first_container_creates_the_keys_and_says_so_once(tmp_path: Path) -> None:
    shared = tmp_path / "keys"
    first, second = (
        manage(environment(tmp_path / name, KEYS_DIR=str(shared)), "shell", "-v", "0", "-c", KEYS)
        for name in ("one", "two")
    )
    secret, encryption = first.stdout.split()
    assert first.stdout == second.stdout
    assert [(shared / name).read_text() for name in (SECRET_FILE, ENCRYPTION_FILE)] == [secret, encryption]
    assert [shared.stat().st_mode & 0o777, (shared / ENCRYPTION_FILE).stat().st_mode & 0o777] == [0o700, 0o600]
    assert f"A new key was created: {shared / ENCRYPTION_FILE}. Keep a copy of it" in first.stderr
    assert f"A new key was created: {shared / SECRET_FILE}." in first.stderr
    assert (secret not in first.stderr, encryption not in first.stderr) == (True, True)
    assert second.stderr == ""


def test_keys_in_the_environment_come_first(tmp_path: Path) -> None:
    own = {"SECRET_KEY": get_random_secret_key(), "ENCRYPTION_KEYS": Fernet.generate_key().decode()}
    done = manage(environment(tmp_path, KEYS_DIR=str(tmp_path / "keys"), **own), "shell", "-v", "0", "-c", KEYS)
    assert done.stdout.strip() == " ".join(own.values())
    assert (done.stderr, list((tmp_path / "keys").iterdir())) == ("", [])


def test_empty_settings_are_as_good_as_none(tmp_path: Path) -> None:
    empty = {"SECRET_KEY": "", "ENCRYPTION_KEYS": "", "KEYS_DIR": ""}
    done = manage(environment(tmp_path, **empty), "shell", "-v", "0", "-c", KEYS)
    assert done.stdout.split() == [(tmp_path / name).read_text() for name in (SECRET_FILE, ENCRYPTION_FILE)]
    assert done.stderr == ""


@pytest.mark.slow
def test_only_a_shared_directory_is_enough_for_a_database_server(tmp_path: Path) -> None:
    alone = manage(environment(tmp_path, **DATABASE), "check", "--deploy")
    assert alone.stderr.count("dinmo.P005") == 2
    shared = manage(environment(tmp_path, KEYS_DIR=str(tmp_path / "keys"), **DATABASE), "check", "--deploy")
    assert (shared.returncode, "dinmo.P" in shared.stderr) == (0, False), shared.stderr


def test_key_that_exists_is_neither_replaced_nor_announced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    # Of the keys of this process of tests.
    keys.announce_created()
    caplog.clear()
    path = tmp_path / SECRET_FILE
    path.write_text("ours\n")
    assert load_or_create(path, lambda: "theirs") == "ours"
    keys.announce_created()
    assert caplog.messages == []
