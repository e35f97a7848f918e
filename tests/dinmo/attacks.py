"""Inputs that no page sends, and every place of the application that takes one: addresses, parameters and JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from django.contrib import admin
from django.urls import URLPattern, URLResolver, get_resolver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client

HUGE = 10**400
TEXTS = {
    "nul": "a\0b",
    "surrogate": "\ud800",
    "long": "x" * 20_000,
    "integer": str(2**63),
    "digits": "\u0663\u00b2",
}
"""Text values of parameters. A lone surrogate travels as its bytes in an address, and as an escape in JSON."""
VALUES: dict[str, Any] = {
    **TEXTS,
    "number": HUGE // 10**380,
    "object": {"a\0b": "\ud800", "all": [{"field": "\0", "is": "equals", "value": 2**63}]},
    "nested": [[[[[[[{}]]]]]]],
}
LOOKUPS = ("__id__exact", "__in", "__gte")
PARAMETERS = (
    "q", "p", "o", "page", "key", "run", "draft", "model", "table", "field", "engine", "service", "platform", "edit",
    "next", "all", "e", "days", "connection", "activation", "state", "shown", "tag", "name", "object_id", "app_label",
    "model_name", "field_name", "term", "_changelist_filters", "_popup",
)  # fmt: skip
"""Every parameter that some page reads."""
FIELDS = (
    "q", "key", "model", "where", "limit", "name", "page", "number", "column", "search", "other", "total", "table",
    "sql", "definition", "field", "engine", "settings", "timezone", "data", "draft", "activation", "records", "full",
    "dry_run", "only_key", "destination", "segment", "mode", "mappings", "match_column", "match_field", "kind", "every",
    "unit", "cron", "days", "at", "url", "config", "idempotency_key", "source", "date", "service",
)  # fmt: skip
"""Every field that some endpoint reads from the body."""
NOT_ATTACKED = ("/admin/logout/", "/admin/start/demo/")
"""They end the session, or load and remove the demo."""


def patterns() -> list[str]:
    """Every address of the application, with the places of its arguments."""
    return sorted(
        path for path in set(_patterns(get_resolver().url_patterns, "/")) if not path.startswith(NOT_ATTACKED)
    )


def _patterns(found: list[Any], prefix: str) -> Iterator[str]:
    for pattern in found:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern) and "(?P" not in path:
            yield path


def filled(pattern: str, argument: str) -> str:
    """The address with this text in place of each argument."""
    parts = pattern.replace(">", "<").split("<")
    return "".join(part if place % 2 == 0 else _quoted(argument) for place, part in enumerate(parts))


def filters() -> Iterator[tuple[str, str]]:
    """Each list, with each parameter that one of its filters takes."""
    for model, model_admin in admin.site._registry.items():
        page = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        for entry in model_admin.get_list_filter(None):  # type: ignore[arg-type]
            name = entry if isinstance(entry, str) else getattr(entry, "parameter_name", "")
            for lookup in ("", *LOOKUPS):
                yield page, f"{name}{lookup}"


def query(names: tuple[str, ...], text: str) -> str:
    """A query string in which each parameter has this value."""
    return "&".join(f"{name}={_quoted(text)}" for name in names)


def body(value: Any) -> str:
    """A JSON body in which each field has this value."""
    return json.dumps(dict.fromkeys(FIELDS, value))


def status(browser: Client, method: str, address: str, **content: Any) -> int:
    """The status of the answer."""
    path, _, query_string = address.partition("?")
    return browser.generic(method, path, QUERY_STRING=query_string, **content).status_code


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")
