"""Processes that read sources: how they end, what they leave behind, how many there are, and what they can see."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Select, select, text

from core.errors import Problem, Unavailable
from dinmo.local import web_server
from segments.isolation import processes
from segments.isolation.reader import IsolatedDefect, IsolatedReader
from segments.session import opened, reading_here
from tests.segments.isolation.conftest import ENDLESS, STUCK, children, rows_of, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segments.isolation.processes import ForkerProcess
    from segments.models import Source

ROOT = Path(__file__).resolve().parents[3]
PARENT = f"""
import sys
from django.conf import settings
settings.configure(
    SOURCE_FILES_ROOT=sys.argv[1], SOURCE_PREVIEW_SECONDS=20, SOURCE_PREVIEW_MEMORY_MB=1024,
    SOURCE_PREVIEW_RESULT_MB=32, SOURCE_PREVIEW_PROCESSES=4,
)
from sqlalchemy import select, text
from segments.isolation.reader import opened_apart
with opened_apart("sqlite", {{"path": "shop.sqlite3"}}, 60) as reader:
    print("open", flush=True)
    list(reader.batches(select(text({STUCK.removeprefix("select ")!r}))))
"""
"""A process that opens a source and asks for what takes days."""


@contextmanager
def asked(source: Source, sql: str, seconds: float = 20.0) -> Iterator[list[BaseException]]:
    """A query that a different thread waits for. Once the block ends, the list has the problem that ended it."""
    ended: list[BaseException] = []

    def ask() -> None:
        try:
            rows_of(source, sql, seconds)
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    yield ended
    thread.join(30)
    assert not thread.is_alive()


@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV])
def test_crash_of_the_process_is_a_problem_with_a_sentence(
    ended_by: signal.Signals, shop: Source, forker: ForkerProcess
) -> None:
    with asked(shop, ENDLESS) as ended:
        (child,) = wait_until(lambda: children(forker.process.pid))
        os.kill(child, ended_by)
    (problem,) = ended
    assert isinstance(problem, Unavailable)
    assert (problem.code, problem.detail) == ("source_crashed", f"It was ended by signal {ended_by:d}.")
    assert problem.message.startswith("The process that read the source ended unexpectedly")
    assert rows_of(shop, "select 1 as x") == [{"x": "1"}]


def everything(sql: str) -> Select[Any]:
    return select(text("*")).select_from(text(f"({sql}) as everything"))


def test_end_of_the_forker_ends_its_processes_and_the_next_request_starts_a_new_one(
    shop: Source, forker: ForkerProcess
) -> None:
    with asked(shop, STUCK) as ended:
        (child,) = wait_until(lambda: children(forker.process.pid))
        forker.process.kill()
        wait_until(lambda: not Path(f"/proc/{child}").exists())
    assert [problem.code for problem in ended if isinstance(problem, Problem)] == ["source_crashed"]
    assert rows_of(shop, "select 1 as x") == [{"x": "1"}]
    processes._shared.forker.stop()  # type: ignore[union-attr]


def test_deadline_kills_a_process_that_does_not_listen(shop: Source, forker: ForkerProcess) -> None:
    start = time.monotonic()
    with pytest.raises(Unavailable) as late:
        rows_of(shop, STUCK, 1.0)
    assert late.value.code == "source_deadline"
    assert "longer than 1 seconds" in late.value.message
    assert 5 < time.monotonic() - start < 15
    assert children(forker.process.pid) == []


def test_kernel_ends_a_process_for_which_nobody_waits(
    shop: Source, forker: ForkerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segments.isolation.reader.GRACE_SECONDS", 1.0)
    monkeypatch.setattr(IsolatedReader, "_wait", lambda _: None)
    with pytest.raises(Unavailable) as late:
        rows_of(shop, STUCK, 0.5)
    assert late.value.code == "source_deadline"
    assert children(forker.process.pid) == []


def test_parent_that_is_killed_leaves_no_process_behind(shop: Source, tmp_path: Path) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout
    with parent.stdout:
        assert parent.stdout.readline() == "open\n"
    (started,) = children(parent.pid)
    (child,) = wait_until(lambda: children(started))
    parent.kill()
    parent.wait()
    wait_until(lambda: not Path(f"/proc/{child}").exists() and not Path(f"/proc/{started}").exists())
    assert list(folder.iterdir()) == []


def test_only_so_many_processes_run_at_once(shop: Source, forker: ForkerProcess, settings: Any) -> None:
    settings.SOURCE_PREVIEW_PROCESSES = 2
    most = 0
    with asked(shop, ENDLESS, 1.0) as first, asked(shop, ENDLESS, 1.0) as second, asked(shop, ENDLESS, 1.0) as third:
        while len([*first, *second, *third]) < 3:
            most = max(most, len(children(forker.process.pid)))
    problems = [*first, *second, *third]
    assert most == 2
    assert [problem.code for problem in problems if isinstance(problem, Problem)] == ["source_timeout"] * 3


def test_whoever_waits_too_long_for_a_process_is_told_so(shop: Source, forker: ForkerProcess, settings: Any) -> None:
    settings.SOURCE_PREVIEW_PROCESSES = 1
    with asked(shop, ENDLESS, 3.0):
        wait_until(lambda: children(forker.process.pid))
        settings.SOURCE_PREVIEW_SECONDS = 0.2
        with pytest.raises(Unavailable) as refused:
            rows_of(shop, "select 1 as x")
    assert refused.value.code == "source_queue"
    assert rows_of(shop, "select 1 as x") == [{"x": "1"}]


def test_files_of_a_killed_process_are_removed(lake: Source, forker: ForkerProcess, tmp_path: Path) -> None:
    folder = tmp_path / "temporary"
    with asked(lake, "select count(*) as x from range(1000000000000) a, range(1000) b"):
        (child,) = wait_until(lambda: children(forker.process.pid))
        wait_until(lambda: any(folder.glob("dinmo-*/*/dinmo-*")))
        os.kill(child, signal.SIGKILL)
    assert list(folder.glob("dinmo-*/*")) == []
    forker.stop()
    assert list(folder.iterdir()) == []


def test_interrupt_ends_a_query_at_once_and_the_session_goes_on(shop: Source) -> None:
    with opened(shop, 20.0) as reader:
        timer = threading.Timer(0.5, reader.interrupt)
        timer.start()
        start = time.monotonic()
        with pytest.raises(Unavailable):
            reader.columns(sql=f"select x from ({ENDLESS})")
            list(reader.batches(everything(ENDLESS)))
        assert time.monotonic() - start < 5
        timer.join()
        assert reader.tables() == ["shop"]


def test_answer_that_nobody_reads_to_its_end_does_not_disturb_the_next_one(shop: Source) -> None:
    with opened(shop, 20.0) as reader:
        batches = reader.batches(everything("select a.name from shop a, shop b"))
        assert next(batches).num_rows
        batches.close()  # type: ignore[attr-defined]
        assert reader.tables() == ["shop"]


def test_no_other_program_sees_credentials(shop: Source, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(processes, "_shared", processes._Shared())
    monkeypatch.setenv("ENCRYPTION_KEYS", "key-of-the-installation")
    monkeypatch.setenv("DATABASE_URL", "postgres://user:password-of-the-installation@host/name")
    shop.secrets = {"password": "password-of-the-source"}
    with opened(shop, 20.0):
        forker = processes._forker()
        for pid in (forker.process.pid, *children(forker.process.pid)):
            seen = b"".join(Path(f"/proc/{pid}/{part}").read_bytes() for part in ("cmdline", "environ"))
            assert b"segments.isolation.forker" in seen
            assert b"-of-the-" not in seen
    forker.stop()


def test_forker_has_one_thread_because_copies_would_lack_the_others(forker: ForkerProcess, shop: Source) -> None:
    rows_of(shop, "select 1 as x")
    assert len(list(Path(f"/proc/{forker.process.pid}/task").iterdir())) == 1


def test_forker_without_work_ends_and_is_started_again(shop: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = processes._Shared()
    shared.idle_seconds = 0.5
    monkeypatch.setattr(processes, "_shared", shared)
    rows_of(shop, "select 1 as x")
    first = shared.forker
    assert first
    first.process.wait(10)
    assert rows_of(shop, "select 1 as x") == [{"x": "1"}]
    assert shared.forker
    assert shared.forker is not first
    shared.forker.stop()


def test_web_process_starts_a_forker_ahead_of_time_and_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = processes._Shared()
    monkeypatch.setattr(processes, "_shared", shared)
    web_server.post_worker_init(SimpleNamespace(pid=1))
    assert shared.forker
    assert shared.idle_seconds == 0
    assert b"segments.isolation.forker\0000\000" in wait_until(
        Path(f"/proc/{shared.forker.process.pid}/cmdline").read_bytes
    )
    shared.forker.stop()


def test_copy_of_this_process_does_not_keep_its_forker_alive(forker: ForkerProcess, shop: Source) -> None:
    pid = os.fork()
    if pid == 0:
        time.sleep(30)
        os._exit(0)
    try:
        forker.control.close()
        forker.process.wait(10)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_run_reads_in_its_own_process(shop: Source, forker: ForkerProcess) -> None:
    with reading_here(), opened(shop, 20.0) as reader:
        assert not isinstance(reader, IsolatedReader)
        assert children(forker.process.pid) == []
    with opened(shop, 20.0) as reader:
        assert len(children(forker.process.pid)) == 1


def test_defect_of_an_engine_surfaces_as_one(shop: Source) -> None:
    with opened(shop, 20.0) as reader, pytest.raises(IsolatedDefect, match="AttributeError"):
        list(reader.batches("no statement"))  # type: ignore[arg-type]
