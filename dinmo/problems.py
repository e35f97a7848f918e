"""A Problem that reaches a page is said in words: what to do, never a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.shortcuts import render

from core.errors import Problem, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse


class ProblemPages:
    """Middleware: answers a page that met a Problem with its message."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Problem):
            return None
        context = {**admin.site.each_context(request), "title": "That did not work", "problem": exception}
        return render(
            request, "screens/problem.html", context, status=503 if isinstance(exception, Unavailable) else 400
        )
