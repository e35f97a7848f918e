"""The state directory and what is in it can be read by this user only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from dinmo.keys import private_directory, private_file
from dinmo.local import broker
from dinmo.local.processes import spawn, stop

ROOT = Path(__file__).resolve().parents[2]


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def open_to_others(directory: Path) -> list[str]:
    """The files below a directory that others could read, were it not for the directory."""
    files = [path for path in directory.rglob("*") if path.is_file() and mode(path) & 0o077]
    return [str(path.relative_to(directory)) for path in files]


def test_new_installation_is_private(tmp_path: Path) -> None:
    var = tmp_path / "state" / "var"
    environment = {**os.environ, "VAR_DIR": str(var), "DATABASE_URL": "", "PYTHONPATH": str(ROOT)}
    del environment["DATABASE_URL"]
    command = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"]
    subprocess.run(command, env=environment, check=True, umask=0o022)
    assert mode(var) == 0o700
    assert mode(var / "dinmo.sqlite3") == 0o600
    assert open_to_others(var) == []


def test_embedded_broker_stores_private_files(tmp_path: Path) -> None:
    with broker.running(tmp_path, {"PATH": os.environ["PATH"]}):
        assert (tmp_path / "broker.log").exists()
        assert open_to_others(tmp_path) == []


def test_files_of_an_earlier_version_become_private(tmp_path: Path) -> None:
    directory, file = tmp_path / "var", tmp_path / "var" / "db"
    directory.mkdir()
    directory.chmod(0o755)
    file.touch()
    file.chmod(0o644)
    private_directory(directory)
    private_file(file)
    assert (mode(directory), mode(file)) == (0o700, 0o600)


def test_directory_that_everybody_writes_to_stays_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    private_directory(tmp_path)
    assert mode(tmp_path) == 0o777


def test_programs_create_private_files(tmp_path: Path) -> None:
    process = spawn((sys.executable, "-c", "import sys; open(sys.argv[1], 'w')", str(tmp_path / "file")), os.environ)
    process.wait()
    stop(process, 1)
    assert mode(tmp_path / "file") == 0o600
