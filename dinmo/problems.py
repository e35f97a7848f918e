"""Turns a Problem raised by a view into an error page with its message and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.shortcuts import render

from core.errors import Problem, Unavailable

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
        if not isinstance(exception, Problem):
            return None
        context = {**admin.site.each_context(request), "title": "Something went wrong", "problem": exception}
        return render(
            request, "screens/problem.html", context, status=503 if isinstance(exception, Unavailable) else 400
        )
