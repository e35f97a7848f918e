"""The condition builder of the segment form: a field that holds the tree, and what the builder offers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.template.loader import render_to_string

from core.errors import Misconfigured
from segments.conditions import parsing
from segments.conditions.limits import SORTABLE
from segments.conditions.tree import NEGATIVE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.utils.safestring import SafeString

    from segments.conditions.scope import ModelScope

MATCHES_EMPTY = "Rows where it is empty match too."
NO_MATCH_EMPTY = "Rows where it is empty do not match."


def offered() -> dict[str, list[dict[str, str]]]:
    """The operators of each column type, with their words, the shape of their value, and what a null means to them."""
    return {str(kind): [operator(name) for name in names] for kind, names in parsing.OPERATORS.items()}


def measures() -> dict[str, dict[str, list[dict[str, str]]]]:
    """The operators of each measure, by the type of the column that it is of."""
    return {
        name: {str(kind): [operator(one) for one in parsing.measure_operators(name, kind)[1]] for kind in kinds}
        for name, kinds in parsing.MEASURES.items()
    }


def operator(name: str) -> dict[str, str]:
    """PURE. One operator as the builder shows it."""
    null = "" if name in parsing.EMPTINESS else MATCHES_EMPTY if name in NEGATIVE else NO_MATCH_EMPTY
    return {"is": name, "label": parsing.LABELS[name], "shape": shape(name), "null": null}


def shape(operator: str) -> str:
    """PURE. What an operator's value consists of: nothing, one value, two, many, or a length of time."""
    if operator in parsing.PLAIN:
        return "none"
    if operator in parsing.PAIRS:
        return "two"
    if operator in parsing.LISTS:
        return "many"
    if operator == "on":
        return "day"
    return "length" if operator in parsing.LENGTHS else "one"


def in_words(where: Any, about: Mapping[str, str] | ModelScope, name: str = "") -> str:
    """PURE. What a tree says, or why it can't be read."""
    try:
        return parsing.in_words(parsing.parse(where, about, name=name))
    except Misconfigured as problem:
        return problem.message


def offered_all() -> dict[str, Any]:
    """All that pages with conditions offer, whatever the model."""
    return {
        "operators": offered(),
        "measures": measures(),
        "has": parsing.HAS,
        "member": parsing.MEMBER,
        "sortable": [str(kind) for kind in SORTABLE],
    }


class ConditionsWidget(forms.Widget):
    """A tree drawn by static/dinmo/builder/ over one hidden field."""

    class Media:
        js = [f"dinmo/builder/{name}.js" for name in ("tree", "values", "rows", "answer", "draft", "editor", "builder")]

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        where = (json.loads(value) if isinstance(value, str) and value else value) or {}
        context = {
            "name": name,
            "value": json.dumps(where),
            "model": self.attrs.get("data-model", ""),
            "offered": offered_all(),
        }
        return render_to_string("screens/conditions.html", context)


class ConditionsField(forms.JSONField):
    """A condition tree; empty takes every row."""

    widget = ConditionsWidget

    def clean(self, value: Any) -> Any:
        return super().clean(value) or {}
