"""Responses to failures: a page with the message of a Problem, and the answers to errors that no view handles."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from django.contrib import admin
from django.shortcuts import render
from django.views import defaults

from core.errors import Problem
from core.web.answers import failure, is_api, problem_of, problem_response, refusal, status_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse


class ProblemPages:
    """Middleware that renders the message of a Problem instead of a traceback."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        problem = problem_of(exception)
        if problem is None:
            return None
        if is_api(request) or problem is not exception:
            # The frame of a page needs the database, which may be what failed.
            return problem_response(request, problem)
        context = {**admin.site.each_context(request), "title": "Something went wrong", "problem": problem}
        return render(request, "screens/problem.html", context, status=status_of(problem))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """400, for requests that Django refuses itself: too many fields, a Host that is not allowed, an altered cookie."""
    return failure(request, 400, "request_invalid", "The request is not valid. Go back, reload the page and try again.")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """403, with what it takes and which roles have it."""
    problem = refusal(request)
    if is_api(request):
        return problem_response(request, problem, 403)
    return render(request, "403.html", {"message": problem.message}, status=403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    if is_api(request):
        return failure(request, 404, "not_found", "There is no such address.")
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """503 if the database can't serve right now, also if that happened outside of a view; otherwise 500, a bug."""
    problem = problem_of(sys.exc_info()[1])
    if isinstance(problem, Problem):
        return problem_response(request, problem)
    if is_api(request):
        message = "Something went wrong. No data was lost. The log of the web process has the details."
        return failure(request, 500, "server_error", message)
    return defaults.server_error(request)
