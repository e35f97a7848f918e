"""The log contains no credential and no forged line, and names stay on one line."""

from __future__ import annotations

import logging
import sys
import time

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from core.secrets import REDACTED, LogFormatter, hide, redact
from core.text.characters import is_one_line, one_line
from core.text.names import validate_name

SECRET = "hunter2-x"
LABELED = [
    "token={}", "api_key={}", "apikey: {}", "API-KEY: {}", "passwd={}", "pwd={};host=db", "passphrase = {}",
    "private_key={}",
    "client_secret={}", "secret: {}", "access_key={}", "authorization: {}", "Authorization: Basic {}",
    "Authorization: Token token={}", "Cookie: a=b; sessionid={}", "Set-Cookie: sessionid={}; Path=/", "password={}",
    "{{'Cookie': 'a=b; sessionid={}'}}", '{{"passwd": "two words {} more"}}', "{{'pwd': '{}'}}",
    '{{\\"api_key\\": \\"{}\\"}}', "password_hash={}", "postgres://u:{}@db/x", "redis://:{}@localhost",
    "postgres://u:p@{}@db/x",
    "postgres://u:p/{}@db/x", "mysql://u:{}:3@db:3306/x",
    "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\n{}",
]  # fmt: skip
HARMLESS = [
    "Not Found: /admin/x", "Forbidden (CSRF token missing.): /admin/login/",
    "http://127.0.0.1:8000/ for ops@example.com",
    "GET https://api.attio.com:443/v2/self", "The password is wrong.",
]  # fmt: skip


def formatted(message: str, *args: object) -> str:
    return LogFormatter("%(levelname)s %(message)s").format(
        logging.LogRecord("x", logging.INFO, "", 0, message, args, None)
    )


@pytest.mark.parametrize("template", LABELED)
def test_labeled_secret_is_redacted_in_messages_and_tracebacks(template: str) -> None:
    text = template.format(SECRET)
    assert SECRET not in redact(text)
    assert SECRET not in formatted("received %s", text)
    try:
        raise ValueError(text)
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", (), sys.exc_info())
    line = LogFormatter().format(record)
    assert "Traceback" in line
    assert SECRET not in line


@pytest.mark.parametrize("text", HARMLESS)
def test_text_without_a_secret_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


@given(st.text(max_size=300))
def test_no_text_makes_a_second_line(text: str) -> None:
    assert len(formatted("%s", text).splitlines()) == 1


def test_line_in_a_traceback_can_not_pass_for_a_record() -> None:
    try:
        raise ValueError("first\n2026-11-29 12:00:00 INFO dinmo forged")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", (), sys.exc_info())
    assert all(line.startswith("    ") for line in LogFormatter().format(record).splitlines()[1:])


@pytest.mark.parametrize("text", ["a" * 300_000, "token" * 60_000, "://a:" * 60_000, '"' * 300_000, 'pwd="' * 60_000])
def test_redacting_a_long_text_takes_no_time(text: str) -> None:
    started = time.process_time()
    redact(text)
    assert time.process_time() - started < 5


def test_long_secret_is_hidden_anywhere() -> None:
    assert hide("xhunter2-xy", [SECRET]) == f"x{REDACTED}y"
    assert hide("secret-of-secret", ["secret", "secret-of-secret"]) == REDACTED


def test_short_secret_is_hidden_only_as_a_word() -> None:
    assert hide("The pass for pa55 is pa55word.", ["pa55"]) == f"The pass for {REDACTED} is pa55word."


@pytest.mark.parametrize("secret", ["a", "ab", "", None, 7])
def test_secret_of_almost_nothing_does_not_garble_a_message(secret: object) -> None:
    assert hide("a table about 7", [secret]) == "a table about 7"


@pytest.mark.parametrize("name", ["a\nb", "a\rb", "a\x00b", "a\x1b[31mb", "a\x85b", "a\u2028b", "a\u202eb"])
def test_name_with_a_control_character_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="line breaks"):
        validate_name(name)


@pytest.mark.parametrize("name", ["Sociétés", "会社", "a b", "👩\u200d🚀", "שלום"])
def test_name_in_any_language_is_accepted(name: str) -> None:
    validate_name(name)


@given(st.text())
def test_escaped_text_is_one_line(text: str) -> None:
    assert is_one_line(one_line(text))
    assert one_line(text) == text or not is_one_line(text)
