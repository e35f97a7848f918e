"""Reads the environment for the settings. A variable that makes no sense ends the process with one sentence."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import environ
from django.core.exceptions import ImproperlyConfigured

from core.text.web_address import is_web_address
from dinmo.keys import private_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

Value = TypeVar("Value")
EXIT_CODE = 3
"""With this one, gunicorn ends as a whole instead of starting the worker again."""
CODE = "P008"
FLAGS = {
    **dict.fromkeys(environ.Env.BOOLEAN_TRUE_STRINGS, True),
    **dict.fromkeys(("false", "off", "no", "n", "0"), False),
}
DATABASES = ("django.db.backends.postgresql", "django.db.backends.sqlite3")


class Environment(environ.Env):
    """As `environ.Env`. These methods take an empty variable for one that is not set, and never show a value."""

    def whole_number(self, name: str, default: int) -> int:
        return self.parsed(name, _whole_number, default, "a whole number such as 30")

    def number(self, name: str, default: float) -> float:
        return self.parsed(name, _number, default, "a number such as 30 or 0.5")

    def flag(self, name: str, default: bool) -> bool:
        return self.parsed(name, lambda text: FLAGS[text.lower()], default, "true or false")

    def pairs(self, name: str) -> dict[str, str]:
        return self.parsed(name, _pairs, {}, "pairs such as a=b, separated by commas")

    def choice(self, name: str, choices: Sequence[str], default: str) -> str:
        chosen = {choice.lower(): choice for choice in choices}
        return self.parsed(name, lambda text: chosen[text.lower()], default, f"one of {', '.join(choices)}")

    def address(self, name: str, default: str) -> str:
        """An address of this installation, without a slash at its end."""
        return self.parsed(name, _address, default, "an address such as https://dinmo.example.com")

    def database(self, name: str, default: str) -> dict[str, Any]:
        expected = "an address such as postgresql://user:password@host:5432/name or sqlite:////path/file.sqlite3"
        return self.parsed(name, self._database, self._database(default), expected)

    def mail_server(self, name: str) -> Mapping[str, Any]:
        """The settings of email; none if the variable is not set."""
        return self.parsed(name, self.email_url_config, {}, "an address such as smtp+tls://user:password@host:587")

    def parsed(self, name: str, parse: Callable[[str], Value], default: Value, expected: str) -> Value:
        """The value of a variable, or the default. Ends the process if `parse` raises an error of bad input."""
        text = str(self(name, default="")).strip()
        if not text:
            return default
        try:
            return parse(text)
        except (ValueError, KeyError, ImproperlyConfigured):
            refuse_start([(CODE, f"{name} is not valid. It must be {expected}.")])

    def _database(self, url: str) -> dict[str, Any]:
        if self.DB_SCHEMES.get(url.partition(":")[0]) not in DATABASES:
            raise ValueError
        return dict(self.db_url_config(url))


def directory(name: str, path: Path) -> Path:
    """The private directory to which a variable points. Ends the process if it can't be created."""
    try:
        return private_directory(path)
    except OSError as error:
        refuse_start([(CODE, f"{name} is {path}, which can't be used as a directory: {error.strerror}.")])


def refuse_start(reasons: Sequence[tuple[str, str]]) -> NoReturn:
    """Ends the process with one sentence for each reason, each with its code."""
    lines = [f"{sentence} ({code})" for code, sentence in reasons]
    print("DinMo does not start:", *lines, sep="\n- ", file=sys.stderr, flush=True)
    raise SystemExit(EXIT_CODE)


def _whole_number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise ValueError
    return int(text)


def _number(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise ValueError
    return number


def _pairs(text: str) -> dict[str, str]:
    return dict(pair.strip().split("=", 1) for pair in text.split(",") if pair.strip())


def _address(text: str) -> str:
    if not is_web_address(text):
        raise ValueError
    return text.rstrip("/")
