"""The format of the log: text for people, JSON for programs; both carry what a thread works on, and no credentials."""

from __future__ import annotations

import io
import json
import logging
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from structlog.contextvars import bound_contextvars

from core.logs import formatter, in_thread


def record(message: str, **more: Any) -> logging.LogRecord:
    made = logging.LogRecord("activations.execute", logging.WARNING, "", 1, message, (), None)
    made.__dict__.update(more)
    return made


def failed(message: str) -> logging.LogRecord:
    try:
        raise ValueError(message)
    except ValueError:
        return record("It failed", exc_info=sys.exc_info())


def as_json(made: logging.LogRecord) -> dict[str, Any]:
    line = formatter("json").format(made)
    assert "\n" not in line
    found: dict[str, Any] = json.loads(line)
    return found


def test_programs_get_one_object_a_line() -> None:
    with bound_contextvars(run_id=7):
        found = as_json(record("Run 7 failed", state="failed"))
    moment = found.pop("time")
    assert moment.endswith("Z")
    expected = {"message": "Run 7 failed", "level": "warning", "logger": "activations.execute", "run_id": 7}
    assert found == {**expected, "state": "failed"}


def test_people_get_text_with_the_context_at_the_end() -> None:
    with bound_contextvars(run_id=7), bound_contextvars(task_id="abc"):
        line = formatter("text").format(record("Run 7 failed"))
    assert line.endswith(" WARNING activations.execute Run 7 failed [run_id=7 task_id=abc]")


@pytest.mark.parametrize("name", ["text", "json"])
def test_credentials_are_redacted_in_messages_and_tracebacks(name: str) -> None:
    for made in (record("token=abc123secret"), failed("postgres://reader:abc123secret@db/shop")):
        line = formatter(name).format(made)
        assert "abc123secret" not in line
        assert "[secret]" in line


def test_traceback_is_part_of_the_object() -> None:
    assert "ValueError: no rows" in as_json(failed("no rows"))["exception"]


@pytest.mark.parametrize("name", ["text", "json"])
@pytest.mark.parametrize("control", ["\n", "\r", "\x1b[31m", "\u2028", "\u202e"])
def test_control_characters_are_escaped(name: str, control: str) -> None:
    assert control not in formatter(name).format(record(f"one{control}two"))


def test_what_libraries_add_is_left_out() -> None:
    assert "request" not in as_json(record("Not found", request="<GET /?key=person@example.com>"))


def test_terminals_get_text_and_everything_else_json(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert formatter().format(record("Hello")).startswith("{")
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    assert not formatter().format(record("Hello")).startswith("{")


def test_unknown_format_is_refused_with_those_that_exist() -> None:
    with pytest.raises(ImproperlyConfigured, match="Use text or json"):
        formatter("xml")


def test_threads_write_about_the_same_run() -> None:
    with bound_contextvars(run_id=7), ThreadPoolExecutor(1, initializer=in_thread()) as pool:
        assert pool.submit(as_json, record("Sent")).result()["run_id"] == 7
