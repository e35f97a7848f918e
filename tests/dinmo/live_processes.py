"""Real processes for tests: a clean environment, who runs below whom, and waiting."""

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
OURS = re.compile(
    r"(?:DATABASE_URL|REDIS_URL|CELERY_.*|SECRET_KEY|ENCRYPTION_KEYS|SANDBOX.*|PORT|VAR_DIR|.*_API_URL|PUBLIC_URL|DJANGO_.*)"
)
needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc, which only Linux has")


def environment(var_dir: Path, **more: str) -> dict[str, str]:
    """The environment of this process without anything of ours, with its own state directory."""
    clean = {name: value for name, value in os.environ.items() if not OURS.fullmatch(name)}
    return {**clean, "VAR_DIR": str(var_dir), **more}


def manage(env: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Runs one of our commands to its end."""
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def below(pid: int) -> dict[int, str]:
    """The command lines of every living process that `pid` started, or that those started."""
    parents = {int(path.name): _parent(path) for path in Path("/proc").glob("[0-9]*")}
    found: dict[int, str] = {}
    todo = [pid]
    while todo:
        parent = todo.pop()
        for child in (child for child, its in parents.items() if its == parent):
            found[child] = _command_line(child)
            todo.append(child)
    return found


def alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be collected does not."""
    return _parent(Path(f"/proc/{pid}")) is not None


def wait_for(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Fails the test where `condition` is not true within `seconds`."""
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
