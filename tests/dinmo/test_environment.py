"""A variable that makes no sense is named in one sentence, and an empty one is not set."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from dinmo.environment import EXIT_CODE, Environment
from tests.dinmo.live_processes import ROOT, environment, manage

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "canary-77c2"
WRONG = [
    ("RUN_LEASE_SECONDS", "abc"),
    ("RUN_LEASE_SECONDS", "-1"),
    ("RUN_SLICE_SECONDS", "nan"),
    ("SOURCE_TIMEOUT_SECONDS", "45 seconds"),
    ("RETENTION_DAYS", "1e3"),
    ("WORKER_MAX_MEMORY_MB", "-5"),
    ("PRODUCTION", "maybe"),
    ("DATABASE_URL", CANARY),
    ("DATABASE_URL", f"mysql://u:{CANARY}@h/x"),
    ("DATABASE_URL", f"postgresql://u:{CANARY}@h:port/x"),
    ("EMAIL_URL", CANARY),
    ("EMAIL_URL", f"smtp://u:{CANARY}@h:port"),
    ("LOG_LEVEL", "loud"),
    ("LOG_FORMAT", "xml"),
    ("TRUSTED_PROXIES", "10.0.0.0/99"),
    ("OIDC_ROLES", "admins"),
    ("PUBLIC_URL", "dinmo.example.com"),
    ("PUBLIC_URL", "https://dinmo.example.com:port"),
    ("VAR_DIR", "/dev/null"),
    ("KEYS_DIR", "/dev/null/keys"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_wrong_variable_is_named_in_one_sentence(tmp_path: Path, name: str, value: str) -> None:
    ended = manage(environment(tmp_path, **{name: value}), "doctor")
    assert ended.returncode == EXIT_CODE
    assert ended.stderr.startswith(f"DinMo does not start:\n- {name} is ")
    assert (ended.stderr.count("\n"), CANARY in ended.stderr + ended.stdout) == (2, False)


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", [["gunicorn", "dinmo.wsgi", "--bind", "127.0.0.1:0"], ["celery", "-A", "dinmo", "beat"]]
)
def test_no_process_starts_with_a_wrong_variable(tmp_path: Path, command: list[str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=environment(tmp_path, RUN_SWEEP_SECONDS="often"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == EXIT_CODE
    assert "- RUN_SWEEP_SECONDS is not valid. It must be a number" in ended.stderr


def test_empty_variables_are_not_set(tmp_path: Path) -> None:
    empty = {name: "" for name, _ in WRONG if name not in ("VAR_DIR", "DATABASE_URL")}
    assert manage(environment(tmp_path, **empty), "check").returncode == 0


@pytest.mark.parametrize(("text", "expected"), [("TRUE", True), ("ok", True), ("no", False), ("0", False), ("", True)])
def test_flags_are_read_in_common_spellings(monkeypatch: pytest.MonkeyPatch, text: str, expected: bool) -> None:
    monkeypatch.setenv("A_FLAG", text)
    assert Environment().flag("A_FLAG", default=True) is expected


def test_address_has_no_slash_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AN_ADDRESS", "https://dinmo.example.com/")
    assert Environment().address("AN_ADDRESS", "") == "https://dinmo.example.com"
