"""The format of the log: text for people, JSON for programs. Credentials are redacted last, also in tracebacks.

Each line carries what its thread is working on: `structlog.contextvars.bound_contextvars(run_id=7)`.
"""

from __future__ import annotations

import logging
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from django.core.exceptions import ImproperlyConfigured
from structlog.contextvars import bind_contextvars, get_contextvars, merge_contextvars
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name

from core.secrets import LogFormatter, redact

if TYPE_CHECKING:
    from collections.abc import Callable

    from structlog.typing import EventDict

TEXT, JSON = "text", "json"
FIELDS = ("method", "path", "status", "milliseconds", "state", "seconds")
"""What a line may have besides its message. Others are left out: libraries add whole requests, with their queries."""


def configuration(level: str, name: str) -> dict[str, Any]:
    """The setting LOGGING of Django: everything goes to stderr. Warnings of libraries become lines of the log.

    Args:
        level: the least important level that is logged, such as INFO.
        name: of the format, see `formatter`.
    """
    logging.captureWarnings(True)
    # At INFO, Celery has several lines for each message, beat one every few seconds, and axes some for each sign-in.
    quiet = {"level": "WARNING" if level == "INFO" else level}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": "core.logs.formatter", "name": name}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "loggers": {
            "axes": quiet,
            "celery": quiet,
            "django_celery_beat": quiet,
            # A worker that stops puts messages back that it has no time for, which is as it should be.
            "kombu.transport.virtual.base": {"level": "ERROR"},
        },
        "root": {"handlers": ["console"], "level": level},
    }


def formatter(name: str = "") -> logging.Formatter:
    """The format with that name; without one, text at a terminal and JSON everywhere else.

    Raises:
        ImproperlyConfigured: there is no such format.
    """
    if name not in ("", TEXT, JSON):
        raise ImproperlyConfigured(f"LOG_FORMAT is {name!r}. Use {TEXT} or {JSON}, or leave it empty.")
    is_text = name == TEXT or (not name and sys.stderr.isatty())
    return TextFormatter() if is_text else json_formatter()


class TextFormatter(LogFormatter):
    """One line for each message, with what it is about at the end."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        context = " ".join(f"{name}={value}" for name, value in sorted(get_contextvars().items()))
        return super().formatMessage(record) + (f" [{context}]" if context else "")


def json_formatter() -> logging.Formatter:
    """One JSON object on one line for each message."""
    return ProcessorFormatter(
        foreign_pre_chain=[merge_contextvars, add_logger_name, add_log_level, ExtraAdder(FIELDS)],
        processors=[
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.TimeStamper("iso", utc=True, key="time"),
            structlog.processors.format_exc_info,
            structlog.processors.EventRenamer("message"),
            _redacted,
            # Escapes everything that is not ASCII, and with it all control characters.
            structlog.processors.JSONRenderer(),
        ],
    )


def in_thread() -> Callable[[], Any]:
    """What a new thread calls first, so that its lines are about the same as those of this thread."""
    return partial(bind_contextvars, **get_contextvars())


def _redacted(_logger: Any, _method: str, event: EventDict) -> EventDict:
    return {name: redact(value) if isinstance(value, str) else value for name, value in event.items()}
