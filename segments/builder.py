"""The condition builder of the segment form: rows of field, operator and value, never raw JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from core.errors import Misconfigured
from segments import conditions


def offered() -> dict[str, list[dict[str, str]]]:
    """The operators of each column type, with their words and the shape of their value."""
    return {
        str(kind): [{"is": name, "label": conditions.LABELS[name], "shape": shape(name)} for name in names]
        for kind, names in conditions.OPERATORS.items()
    }


def shape(operator: str) -> str:
    """PURE. What an operator's value consists of: nothing, one value, two, many, or a length of time."""
    if operator in conditions.PLAIN:
        return "none"
    if operator in conditions.PAIRS:
        return "two"
    if operator in conditions.LISTS:
        return "many"
    return "length" if operator in conditions.LENGTHS else "one"


def rows(where: Mapping[str, Any], types: Mapping[str, str]) -> tuple[str, list[dict[str, Any]]]:
    """PURE. A tree as `all` or `any` of its rows. A row that is more than one comparison comes with its words."""
    join = next((name for name in ("all", "any") if isinstance(where.get(name), list)), "all")
    children = [where] if is_plain(where) else where.get(join) or []
    return join, [{"node": child, "words": "" if is_plain(child) else in_words({"all": [child]}, types)} for child in children]


def is_plain(node: Any) -> bool:
    """PURE. Whether the builder can edit the node: one comparison of a field."""
    return isinstance(node, Mapping) and "field" in node


def in_words(where: Any, types: Mapping[str, str]) -> str:
    """PURE. What a tree says, or why it can't be read."""
    try:
        return conditions.say(conditions.parse(where, types))
    except Misconfigured as problem:
        return problem.message


class ConditionsWidget(forms.Widget):
    """Rows drawn by static/dinmo/segment.js over one hidden field."""

    types: Mapping[str, str] = {}
    """The columns of the segment's model, to say nested conditions in words."""

    class Media:
        js = ["dinmo/segment.js"]

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        where = json.loads(value) if isinstance(value, str) and value else value or {}
        join, found = rows(where, self.types) if isinstance(where, Mapping) else ("all", [])
        context = {
            "name": name,
            "value": json.dumps(where),
            "model": self.attrs.get("data-model", ""),
            "state": {"join": join, "rows": found, "operators": offered()},
        }
        return render_to_string("screens/conditions.html", context)


class ConditionsField(forms.JSONField):
    """A condition tree; empty takes every row."""

    widget = ConditionsWidget

    def clean(self, value: Any) -> Any:
        return super().clean(value) or {}
