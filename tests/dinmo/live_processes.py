"""Real processes for tests: a clean environment, process trees, and waiting."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).resolve().parents[2]
PROJECT_VARIABLES = re.compile(
    r"(?:DATABASE_URL|REDIS_URL|CELERY_.*|SECRET_KEY|ENCRYPTION_KEYS|SANDBOX.*|PORT|VAR_DIR|KEYS_DIR|.*_API_URL|PUBLIC_URL|PRODUCTION|DEBUG|ALLOWED_HOSTS|BEHIND_TLS_PROXY|DJANGO_.*)"
)
needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="/proc exists only on Linux")


def environment(var_dir: Path, **more: str) -> dict[str, str]:
    """The environment of this process without the project's variables, with a state directory of its own."""
    clean = {name: value for name, value in os.environ.items() if not PROJECT_VARIABLES.fullmatch(name)}
    return {**clean, "VAR_DIR": str(var_dir), **more}


def manage(env: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Runs a management command to its end."""
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def descendants(pid: int) -> dict[int, str]:
    """The command lines of all living descendants of the process `pid`, by process ID."""
    parents = {int(path.name): _parent(path) for path in Path("/proc").glob("[0-9]*")}
    command_lines: dict[int, str] = {}
    todo = [pid]
    while todo:
        parent = todo.pop()
        for child in (child for child, parent_pid in parents.items() if parent_pid == parent):
            command_lines[child] = _command_line(child)
            todo.append(child)
    return command_lines


def is_alive(pid: int) -> bool:
    """Whether the process is running. A zombie is not."""
    return _parent(Path(f"/proc/{pid}")) is not None


def wait_for(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Fails the test unless `condition` becomes true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.05)


def _parent(path: Path) -> int | None:
    try:
        state, parent = (path / "stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return None
    return None if state in "ZX" else int(parent)


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""
