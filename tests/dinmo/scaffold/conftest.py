"""A copy of the project, in which new plug-ins are written, linted and tested."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parents[3]
COPIED = (
    "core",
    "segments",
    "destinations",
    "activations",
    "dinmo",
    "templates",
    "tests",
    "manage.py",
    "pyproject.toml",
)
SECONDS = 600


@dataclass(frozen=True)
class Project:
    """A copy of the project."""

    root: Path

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs Python with these arguments. Output and errors are in `stdout`."""
        return subprocess.run(
            [sys.executable, *words],
            cwd=self.root,
            env={**os.environ, "VAR_DIR": str(self.root / "var"), "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run("manage.py", *words)

    def lint(self, paths: Iterable[str]) -> list[str]:
        """What style, types and the rules of the architecture find wrong."""
        places = [str(path) for path in paths]
        done = [
            self.run("-m", "ruff", "check", "--no-cache", *places),
            self.run("-m", "ruff", "format", "--no-cache", "--check", *places),
            self.run("-m", "mypy", *places),
            self.run("-m", "pytest", "tests/test_architecture.py", "-k", "the_house_keeps"),
        ]
        return [run.stdout for run in done if run.returncode]


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    root = tmp_path_factory.mktemp("project")
    ignored = shutil.ignore_patterns("__pycache__", "node_modules", "var")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, root / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, root / name)
    return Project(root)
