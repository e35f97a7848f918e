"""Log configuration: text or JSON, with credentials redacted as the last step, including in tracebacks.

Each line includes the context variables of its thread: `structlog.contextvars.bound_contextvars(run_id=7)`.
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

TEXT, JSON = FORMATS = "text", "json"
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
FIELDS = ("method", "path", "status", "milliseconds", "state", "seconds")
"""Extra fields that are logged. All others are dropped, because libraries attach whole requests with query strings."""


def configuration(level: str, name: str) -> dict[str, Any]:
    """Django's LOGGING setting. Logs everything to stderr, including Python warnings.

    Args:
        level: the minimum level, such as INFO.
        name: the name of the format, see `formatter`.
    """
    logging.captureWarnings(True)
    # At INFO, Celery logs several lines per message, beat one every few seconds, and axes some per sign-in.
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
            # A worker that shuts down returns unprocessed messages to the queue, which is expected.
            "kombu.transport.virtual.base": {"level": "ERROR"},
        },
        "root": {"handlers": ["console"], "level": level},
    }


def formatter(name: str = "") -> logging.Formatter:
    """The formatter with this name. Without a name, text if stderr is a terminal, otherwise JSON.

    Raises:
        ImproperlyConfigured: the name is unknown.
    """
    if name not in ("", TEXT, JSON):
        raise ImproperlyConfigured(f"LOG_FORMAT is {name!r}. Use {TEXT} or {JSON}, or leave it empty.")
    is_text = name == TEXT or (not name and sys.stderr.isatty())
    return TextFormatter() if is_text else json_formatter()


class TextFormatter(LogFormatter):
    """Formats each message as one line of text that ends with the context variables."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        context = " ".join(f"{name}={value}" for name, value in sorted(get_contextvars().items()))
        return super().formatMessage(record) + (f" [{context}]" if context else "")


def json_formatter() -> logging.Formatter:
    """Formats each message as one line of JSON."""
    return ProcessorFormatter(
        foreign_pre_chain=[merge_contextvars, add_logger_name, add_log_level, ExtraAdder(FIELDS)],
        processors=[
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.TimeStamper("iso", utc=True, key="time"),
            structlog.processors.format_exc_info,
            structlog.processors.EventRenamer("message"),
            _redacted,
            # Escapes all non-ASCII and control characters.
            structlog.processors.JSONRenderer(),
        ],
    )


def in_thread() -> Callable[[], Any]:
    """Returns a function for a new thread to call first, which gives it the context variables of the current thread."""
    return partial(bind_contextvars, **get_contextvars())


def _redacted(_logger: Any, _method: str, event: EventDict) -> EventDict:
    return {name: redact(value) if isinstance(value, str) else value for name, value in event.items()}
