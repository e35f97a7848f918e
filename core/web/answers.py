"""Failures as responses in the format of the caller: JSON for the API, a page for a browser."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.paginator import InvalidPage
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.shortcuts import render
from django.utils.module_loading import import_string

from core.errors import Misconfigured, Problem, Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

API = "/api/"
RETRY_SECONDS = 5
"""After which a client may repeat a request that met a busy database."""
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_BROKEN = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}


def is_api(request: HttpRequest) -> bool:
    """Whether the caller expects JSON."""
    return request.path.startswith(API)


def problem_of(error: BaseException | None) -> Problem | None:
    """The Problem that an exception is, or that it means to the user; None if it is a bug."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, InvalidPage):
        return Misconfigured("page_invalid", "There is no such page. Open the list again.")
    if isinstance(error, UnreadablePostError):
        return Misconfigured("request_incomplete", "The request ended before all of it had arrived. Send it again.")
    if isinstance(error, OverflowError) and "SQLite INTEGER" in str(error):
        # PostgreSQL finds no row for such a number; SQLite's driver refuses it.
        return Misconfigured("list_number_too_large", "A number in the address is too large. Open the list again.")
    if isinstance(error, OperationalError | InterfaceError):
        return _database_problem(error)
    return None


def _database_problem(error: Exception) -> Problem | None:
    """PostgreSQL's driver raises these only if the server can't serve. SQLite's driver also does for invalid SQL."""
    detail = type(error).__name__
    code = getattr(error.__cause__, "sqlite_errorcode", None)
    # An extended code, such as SQLITE_BUSY_SNAPSHOT, contains the primary one in its lowest byte.
    primary = code & 0xFF if code is not None else None
    if primary in _BUSY:
        message = "The database is busy. Nothing was saved. Try again in a few seconds."
        return Unavailable("database_busy", message, detail=detail, retry_after=RETRY_SECONDS)
    if primary in _BROKEN or not isinstance(error.__cause__, sqlite3.Error):
        message = "The database can't be used right now. Nothing was saved. If this persists, run manage.py doctor."
        return Unavailable("database_unavailable", message, detail=detail, retry_after=RETRY_SECONDS)
    return None


def refusal(request: Any) -> Problem:
    """What is said to somebody who may not do what they request.

    Settings: REFUSAL_MESSAGE is the dotted name of a function that takes the request and returns the words.
    """
    message: str = import_string(settings.REFUSAL_MESSAGE)(request)
    return Misconfigured("permission_missing", message)


def status_of(problem: Problem) -> int:
    """The HTTP status of a problem: 503 if the same request may work later."""
    return 503 if isinstance(problem, Unavailable) else 400


def headers_of(problem: Problem) -> dict[str, str]:
    """The headers of a response about a problem."""
    seconds = problem.retry_after if isinstance(problem, Unavailable) else None
    return {"Retry-After": f"{seconds:.0f}"} if seconds else {}


def problem_response(request: HttpRequest, problem: Problem, status: int | None = None) -> HttpResponse:
    """A response that needs neither a user nor the database.

    Args:
        status: by the kind of the problem if None.
    """
    status = status or status_of(problem)
    return failure(request, status, problem.code, problem.message, headers_of(problem))


def failure(
    request: HttpRequest, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """A code and a message, in the format of the caller."""
    response = (
        JsonResponse({"code": code, "message": message}, status=status)
        if is_api(request)
        else render(request, "failure.html", {"code": code, "message": message}, status=status)
    )
    for name, value in (headers or {}).items():
        response.headers[name] = value
    return response
