"""The pages of the documentation. Everybody who may sign in may read them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from django.contrib import admin
from django.http import FileResponse, Http404, HttpRequest
from django.template.response import TemplateResponse

from dinmo.docs import files

if TYPE_CHECKING:
    from dinmo.docs.rendering import Page

RENDERING = "dinmo.docs.rendering"
"""Loaded with the first page that is read, because it loads the Markdown library."""
INDEX = "README"


def index(request: HttpRequest) -> TemplateResponse:
    """The page that lists all others."""
    return page(request, INDEX)


def page(request: HttpRequest, page: str) -> TemplateResponse:
    """One page, with its headings beside it."""
    if page not in files.pages():
        raise Http404
    rendered: Page = import_module(RENDERING).render(page)
    context = {
        **admin.site.each_context(request),
        "title": files.pages()[page].title,
        "rendered": rendered,
        "is_index": page == INDEX,
    }
    return TemplateResponse(request, "docs/page.html", context)


def picture(request: HttpRequest, path: str) -> FileResponse:  # noqa: ARG001
    """A picture of a page."""
    found = files.pictures().get(path)
    if found is None:
        raise Http404
    return FileResponse(found.open("rb"), content_type=files.PICTURES[found.suffix])
