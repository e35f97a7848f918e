"""The form field of the condition builder, and the options that the builder offers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.template.loader import render_to_string

from core.errors import Misconfigured
from core.web.forms.json_field import EditorField
from segments.conditions import parsing
from segments.conditions.limits import SORTABLE
from segments.conditions.tree import NEGATIVE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.utils.safestring import SafeString

    from segments.conditions.scope import ModelScope

MATCHES_EMPTY = "Rows without a value match too."
NO_MATCH_EMPTY = "Rows without a value do not match."


def operators_by_type() -> dict[str, list[dict[str, str]]]:
    """Returns the operators of each column type: name, label, shape of the value, and whether a null matches."""
    return {str(kind): [operator(name) for name in names] for kind, names in parsing.OPERATORS.items()}


def operators_by_measure() -> dict[str, dict[str, list[dict[str, str]]]]:
    """Returns the operators of each measure (sum, average, …), by the type of the measured column."""
    return {
        name: {str(kind): [operator(allowed) for allowed in parsing.measure_operators(name, kind)[1]] for kind in kinds}
        for name, kinds in parsing.MEASURES.items()
    }


def operator(name: str) -> dict[str, str]:
    """PURE. Returns an operator as the builder displays it."""
    null = "" if name in parsing.EMPTINESS else MATCHES_EMPTY if name in NEGATIVE else NO_MATCH_EMPTY
    return {"is": name, "label": parsing.LABELS[name], "shape": shape(name), "null": null}


def shape(operator: str) -> str:
    """PURE. What the value of an operator consists of: nothing, one value, two, many, a day, or a length of time."""
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
    """PURE. Returns the conditions as a sentence, or the reason why they are invalid."""
    try:
        return parsing.in_words(parsing.parse(where, about, name=name))
    except Misconfigured as problem:
        return problem.message


def builder_options() -> dict[str, Any]:
    """Returns all options of pages with conditions that do not depend on the model."""
    return {
        "operators": operators_by_type(),
        "measures": operators_by_measure(),
        "has": parsing.HAS,
        "member": parsing.MEMBER,
        "sortable": [str(kind) for kind in SORTABLE],
    }


class ConditionsWidget(forms.Widget):
    """A hidden field with the condition tree as JSON. static/dinmo/builder/ draws the editor."""

    class Media:
        js = [f"dinmo/builder/{name}.js" for name in ("tree", "values", "rows", "answer", "draft", "editor", "builder")]

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        where = (json.loads(value) if isinstance(value, str) and value else value) or {}
        context = {
            "name": name,
            "value": json.dumps(where),
            "model": self.attrs.get("data-model", ""),
            "offered": builder_options(),
        }
        return render_to_string("screens/conditions.html", context)


class ConditionsField(EditorField):
    """A condition tree. An empty tree matches every row."""

    widget = ConditionsWidget

    def clean(self, value: Any) -> Any:
        return super().clean(value) or {}
