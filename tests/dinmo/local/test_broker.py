"""The embedded broker, tested with real server processes."""

from __future__ import annotations

import os
import signal
import stat
from typing import TYPE_CHECKING

import pytest
import redis

from core.errors import Misconfigured, Unavailable
from dinmo.local import broker
from dinmo.local.machine import exclusive_runtime, free_port
from dinmo.local.processes import kill_session, spawn, stop
from tests.dinmo.live_processes import wait_for

if TYPE_CHECKING:
    from pathlib import Path


def client(path: Path) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(path))


def test_broker_runs_as_long_as_its_context(tmp_path: Path) -> None:
    with broker.running(tmp_path, {}) as address:
        broker.check_connection(address)
    with pytest.raises(Unavailable, match="is not responding"):
        broker.check_connection(address)


def test_broker_opens_no_port_and_only_this_user_has_access(tmp_path: Path) -> None:
    with broker.running(tmp_path, {}):
        path = broker.socket_path(tmp_path, {})
        assert client(path).config_get("port") == {"port": "0"}
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_queued_work_survives_a_kill(tmp_path: Path) -> None:
    command, path = broker.prepare(tmp_path, {})
    first = spawn(command, os.environ)
    wait_for(lambda: broker.is_ready(path), 5, "the start of the broker")
    client(path).lpush("queue", "job")
    kill_session(first)
    with broker.running(tmp_path, {}):
        assert client(path).lrange("queue", 0, -1) == [b"job"]


def test_broker_left_behind_by_an_earlier_start_is_shut_down(tmp_path: Path) -> None:
    command, path = broker.prepare(tmp_path, {})
    orphan = spawn(command, os.environ)
    wait_for(lambda: broker.is_ready(path), 5, "the start of the broker")
    broker.prepare(tmp_path, {})
    assert orphan.wait(5) == 0


def test_second_context_on_a_state_directory_shares_the_broker(tmp_path: Path) -> None:
    with broker.running(tmp_path, {}) as first:
        with broker.running(tmp_path, {}) as second:
            assert second == first
        broker.check_connection(first)


@pytest.mark.parametrize("name", ["CELERY_BROKER_URL", "REDIS_URL"])
def test_configured_broker_is_used_unchanged(tmp_path: Path, name: str) -> None:
    with broker.running(tmp_path, {name: "redis://elsewhere:6379/0"}) as address:
        assert address == "redis://elsewhere:6379/0"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a" * 120, "with space & 100%"])
def test_any_path_works_as_state_directory(tmp_path: Path, name: str) -> None:
    var_dir = tmp_path / name
    var_dir.mkdir()
    with broker.running(var_dir, {"XDG_RUNTIME_DIR": str(tmp_path)}) as address:
        broker.check_connection(address)


def test_long_path_gets_a_short_socket_that_is_the_same_in_every_process(tmp_path: Path) -> None:
    long_path = tmp_path / ("a" * 120)
    path = broker.socket_path(long_path, {"XDG_RUNTIME_DIR": "/run/user/1"})
    assert len(os.fsencode(path)) <= broker.SOCKET_PATH_BYTES
    assert path == broker.socket_path(long_path, {"XDG_RUNTIME_DIR": "/run/user/1"})
    assert path.is_relative_to("/run/user/1")
    assert path != broker.socket_path(long_path / "b", {"XDG_RUNTIME_DIR": "/run/user/1"})
    assert broker.socket_path(long_path, {"XDG_RUNTIME_DIR": "/" + "b" * 120}).is_relative_to("/tmp")


def test_packaged_server_is_used_if_path_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert broker.find_binary().release.startswith("valkey-")
    with broker.running(tmp_path, {}) as address:
        broker.check_connection(address)


def test_server_that_does_not_run_on_this_machine_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "redis-server"
    broken.write_text("not a program")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert broker.find_binary().path != str(broken)


def test_missing_server_is_reported_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(broker, "_packaged", list)
    with pytest.raises(Misconfigured, match="set REDIS_URL"):
        broker.find_binary()


def test_server_that_exits_immediately_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broker.sock").mkdir()
    with pytest.raises(Unavailable, match=r"broker\.log"), broker.running(tmp_path, {}):
        pass


def test_unreachable_broker_is_reported_without_its_password() -> None:
    with pytest.raises(Unavailable) as caught:
        broker.check_connection(f"redis://:hidden@127.0.0.1:{free_port()}/0")
    assert "127.0.0.1" in caught.value.message
    assert "hidden" not in caught.value.message


@pytest.mark.parametrize("address", ["nonsense://x", "redis://127.0.0.1:port/0"])
def test_invalid_broker_url_is_reported(address: str) -> None:
    with pytest.raises(Misconfigured, match="not a valid broker URL"):
        broker.check_connection(address)


def test_state_directory_allows_only_one_runtime(tmp_path: Path) -> None:
    with exclusive_runtime(tmp_path), pytest.raises(Misconfigured, match="Stop it first"), exclusive_runtime(tmp_path):
        pass
    with exclusive_runtime(tmp_path):
        pass


def test_process_that_ignores_sigterm_is_killed_after_the_grace_period(tmp_path: Path) -> None:
    process = spawn(
        ["sh", "-c", "trap '' TERM; touch $HERE/deaf; while :; do sleep 0.05; done"],
        {**os.environ, "HERE": str(tmp_path)},
    )
    wait_for((tmp_path / "deaf").exists, 5, "the start of the process")
    stop(process, grace_seconds=0.2)
    assert process.returncode == -signal.SIGKILL
