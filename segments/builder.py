"""The condition builder of the segment form: rows of field, operator and value, never raw JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from segments import conditions

LABELS = {
    "equals": "is", "not_equals": "is not", "one_of": "is one of", "none_of": "is none of", "contains": "contains",
    "not_contains": "does not contain", "starts_with": "starts with", "ends_with": "ends with", "empty": "is empty",
    "not_empty": "is not empty", "greater_than": "is greater than", "at_least": "is at least", "less_than": "is less than",
    "at_most": "is at most", "between": "is between", "not_between": "is not between", "on": "is on", "before": "is before",
    "after": "is after", "in_the_last": "is in the last", "in_the_next": "is in the next", "more_than_ago": "is more than … ago",
    "contains_any": "contains any of", "contains_all": "contains all of", "contains_none": "contains none of",
}  # fmt: skip
SHAPES = {
    "empty": "none", "not_empty": "none", "between": "two", "not_between": "two", "one_of": "many", "none_of": "many",
    "contains_any": "many", "contains_all": "many", "contains_none": "many", "in_the_last": "length", "in_the_next": "length",
    "more_than_ago": "length",
}  # fmt: skip
"""What a value consists of: nothing, two values, many values, a length of time; one value where it is not named."""


def offered() -> dict[str, list[dict[str, str]]]:
    """The operators of each column type, with their words and the shape of their value."""
    return {
        str(kind): [{"is": str(name), "label": LABELS.get(name, name), "shape": SHAPES.get(name, "one")} for name in names]
        for kind, names in conditions.OPERATORS.items()
    }


def rows(where: Mapping[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """PURE. A tree as `all` or `any` of its rows. A row that is more than one comparison comes with its words."""
    join = next((name for name in ("all", "any") if isinstance(where.get(name), list)), None)
    children = where[join] if join else ([where] if where else [])
    return join or "all", [{"node": child, "words": "" if is_plain(child) else in_words(child)} for child in children]


def is_plain(node: Any) -> bool:
    """PURE. Whether the builder can edit the node: one comparison of a field."""
    return isinstance(node, Mapping) and "field" in node and "is" in node


def in_words(node: Any) -> str:
    """What a node says, or that it can't be read."""
    try:
        return conditions.words(conditions.parse(node))
    except conditions.Misconfigured as problem:
        return problem.message


class ConditionsWidget(forms.Widget):
    """Rows drawn by static/dinmo/segment.js over one hidden field."""

    class Media:
        js = ["dinmo/segment.js"]

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        where = json.loads(value) if isinstance(value, str) and value else value or {}
        join, found = rows(where) if isinstance(where, Mapping) else ("all", [])
        context = {"name": name, "value": json.dumps(where), "model": self.attrs.get("data-model", ""), "state": {"join": join, "rows": found, "operators": offered()}}
        return render_to_string("screens/conditions.html", context)


class ConditionsField(forms.JSONField):
    """A condition tree; empty takes every row."""

    widget = ConditionsWidget

    def clean(self, value: Any) -> Any:
        return super().clean(value) or {}
