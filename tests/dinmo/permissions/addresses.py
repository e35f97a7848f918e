"""Every entry point of the application: each address by its name, each button of a page, and each action of a list."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import admin
from django.urls import URLResolver, get_resolver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.auth.models import User
    from django.http import HttpRequest

KEY = "7"
"""Of the record that all examples are about."""
OF_OBJECT = re.compile(r"^/admin/\w+/\w+/<path:object_id>/$")
"""Django leads from these to the page of the object."""
COMPUTED = "900"
"""The ID of the computed field: it is a column, and those with the first IDs are columns of the source."""
GROUP = "901"
"""The ID of a group of our own: the first ones are the roles, which nobody changes."""
ARGUMENTS = {"app_label": "activations", "app": "segments", "model": "source", "page": "roles", "path": "overview.webp"}
"""By the names of arguments. All others are the ID of an example."""
QUERIES = {
    "admin:record_timeline": {"key": KEY},
    "admin:record_timeline_live": {"key": KEY},
    "admin:segments_source_add": {"engine": "sqlite"},
    "admin:segments_computedfield_add": {"model": "1"},
    "admin:destinations_connection_add": {"platform": "attio"},
    "admin:activations_alertchannel_add": {"kind": "email"},
    "api:source-sample": {"table": "companies"},
    "api:search": {"q": KEY},
    "api:editor-records": {"q": KEY},
}
WHERE = {"all": [{"field": "name", "is": "not_empty"}]}
"""The conditions of the saved segment."""
LABELS = {"labels": [{"label": "Named", "where": WHERE}], "otherwise": "Nameless"}
"""The definition of the computed field."""
BODY: dict[str, Any] = {
    "model": 1, "where": WHERE, "limit": {}, "column": "name", "table": "companies", "other": 1, "records": "model:1",
    "destination": 1, "data": {}, "key": KEY, "q": KEY, "definition": LABELS, "action": "leave",
}  # fmt: skip
"""What every endpoint is sent."""


@dataclass(frozen=True)
class Address:
    """One entry point. `name` is that in `dinmo.permissions.entry_points`."""

    name: str
    path: str

    @property
    def is_api(self) -> bool:
        return self.path.startswith("/api/")


def addresses() -> list[Address]:
    """Every address, and every button of the page of an object, with examples in place of the arguments."""
    found = []
    for name, path in _patterns(get_resolver().url_patterns, "/", ""):
        query = f"?{urlencode(QUERIES[name])}" if name in QUERIES else ""
        buttons = _buttons(name) if name.endswith("_do") else [""]
        found += [
            Address(f"{name}:{button}" if button else name, _filled(path, {**_arguments(name), "name": button}) + query)
            for button in buttons
        ]
    return found


def actions(user: User, request: HttpRequest) -> set[str]:
    """The actions of all lists that a person may choose. Django runs no others."""
    request.user = user
    return {
        f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist:{action}"
        for model, model_admin in admin.site._registry.items()
        for action in model_admin.get_actions(request)
    }


def _patterns(found: list[Any], prefix: str, space: str) -> Iterator[tuple[str, str]]:
    for pattern in found:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern.url_patterns, path, f"{pattern.namespace}:" if pattern.namespace else space)
        elif not OF_OBJECT.match(path):
            yield (f"{space}{pattern.name}" if pattern.name else path), path


def _arguments(name: str) -> dict[str, str]:
    keys = {"computedfield": COMPUTED, "auth_group": GROUP}
    key = next((key for part, key in keys.items() if part in name), ARGUMENTS.get("object_id", "1"))
    return {**ARGUMENTS, "object_id": key}


def _filled(path: str, arguments: dict[str, str]) -> str:
    path = re.sub(r"\^?\(\?P<(\w+)>.*?\)\$?", r"<\1>", path)
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda match: arguments.get(match[1], "1"), path).rstrip("$")


def _buttons(name: str) -> list[str]:
    model_name = name.removeprefix("admin:").removesuffix("_do")
    for model, model_admin in admin.site._registry.items():
        if f"{model._meta.app_label}_{model._meta.model_name}" == model_name:
            return sorted(each.removeprefix("do_") for each in dir(model_admin) if each.startswith("do_"))
    raise AssertionError(f"No admin has the buttons of {name}")
