"""The forms of an activation's field mappings."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import F, Value
from django.db.models.functions import Cast, Concat
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from activations.models import FieldMapping
from activations.setup import attribute_drift, policy_words
from activations.setup.spec import MappingSpec
from core.errors import Misconfigured, Problem
from core.web.forms.json_field import is_storable
from core.web.forms.long_select import FixedChoices, LongSelect
from core.web.formsets import BoundedFormSet
from destinations import discovery
from destinations.kit.values import countries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from activations.setup.draft import Draft
    from destinations.contract import Field

MISSING = {
    "column": "Choose a column, or give a fixed value.",
    "fixed": "Enter the value that every record gets.",
    "template": "Write a text with at least one column in braces, such as {name}.",
}
WARNED = ("attribute_missing", "attribute_read_only")
"""Problems that an attribute can have after it was mapped. A saved mapping stays as it is, with a warning."""
SHOWN_AT = {"template": "template", "policy_unreadable": "policy"}
"""The input that a problem is about, if it isn't the attribute."""
NO_COLUMN = ("", "Choose a column")
COUNTRIES = FixedChoices([("", "Numbers have country codes"), *countries.names().items()])
ORIGINS = [("column", "Column"), ("fixed", "Fixed value"), ("template", "Several columns")]


class MappingForm(forms.ModelForm):
    """One attribute, fed by a column, a fixed value or a template of several columns."""

    origin = forms.ChoiceField(
        label="Value from",
        required=False,
        choices=ORIGINS,
        widget=UnfoldAdminSelectWidget(attrs={"data-role": "origin"}),
    )
    fixed = forms.CharField(
        label="fixed value",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"data-role": "fixed"}),
        help_text='The same value for every record. Write a list as ["One", "Two"].',
    )

    policy_notes = tuple(policy_words.CONSEQUENCES.items())
    """What each write policy leads to."""

    class Meta:
        model = FieldMapping
        fields = ["column", "template", "target", "when_empty", "multi", "policy", "round_to_whole", "country"]
        labels = {
            "policy": "Write",
            "when_empty": "If the value is empty",
            "multi": "Lists",
            "round_to_whole": "Round to whole numbers",
            "template": "Text with columns in braces",
            "country": "Country of phone numbers",
        }
        widgets = {
            "column": UnfoldAdminSelectWidget(attrs={"data-role": "mapping-column"}),
            "template": UnfoldAdminTextInputWidget(
                attrs={"data-role": "template", "placeholder": "{first_name} {last_name}"}
            ),
            "target": UnfoldAdminSelectWidget(attrs={"data-role": "target"}),
            "round_to_whole": forms.CheckboxInput(attrs={"data-role": "round"}),
            "country": LongSelect(attrs={"data-role": "country"}, choices=COUNTRIES),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "column" not in self.fields:
            return
        self.fields["policy"].required = False
        if self.instance.pk and not self.instance.column:
            self.initial["origin"] = "template" if self.instance.template else "fixed"
            self.initial["fixed"] = "" if self.instance.template else value_as_text(self.instance.value)
        for name, first in (("column", NO_COLUMN), ("target", ("", "Choose an attribute"))):
            present = (self.data.get(self.add_prefix(name)) if self.is_bound else self.initial.get(name)) or ""
            self.fields[name].widget.choices = [first, *([(present, present)] if present else [])]

    def has_changed(self) -> bool:
        """A new row without attribute, column and value is ignored: a person added it and left it empty."""
        if (
            not self.instance.pk
            and self.is_bound
            and not any(self.data.get(self.add_prefix(name)) for name in ("column", "fixed", "template", "target"))
        ):
            return False
        return super().has_changed()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        origin = cleaned.get("origin")
        if origin:
            # What was typed for the other origins stays in the form, but is not saved.
            cleaned.update({name: "" for name in ("column", "fixed", "template") if name != origin})
        text, column, template = ((cleaned.get(name) or "").strip() for name in ("fixed", "column", "template"))
        if bool(column) + bool(text) + bool(template) > 1:
            self.add_error("fixed", "Choose a column, a fixed value or a text of several columns, not two of them.")
        elif not column and not text and not template:
            self.add_error(origin or "column", MISSING[origin or "column"])
        self.instance.value = None if column or template else text
        cleaned["policy"] = cleaned.get("policy") or self.instance.policy
        return cleaned

    def validate_constraints(self) -> None:
        """Left to the formset: only it can see that two rows swap their attributes, which is allowed."""

    @property
    def row(self) -> MappingSpec:
        return MappingSpec(
            target=self.cleaned_data.get("target", ""),
            column=self.cleaned_data.get("column", ""),
            value=self.instance.value,
            country=self.cleaned_data.get("country", ""),
            template=self.cleaned_data.get("template", ""),
            rounds=bool(self.cleaned_data.get("round_to_whole")),
            policy=self.cleaned_data.get("policy") or self.instance.policy,
        )


class MappingFormSet(BoundedFormSet):
    """All field mappings of an activation, validated together by the rules."""

    most_new = 100

    @cached_property
    def discovered(self) -> Sequence[Field]:
        """The destination's fields by the last discovery; empty if there was none. Sends no request."""
        try:
            last = discovery.cached(self.instance.destination) if self.instance.pk else None
        except Problem:
            return ()
        return last.fields if last else ()

    def add_fields(self, form: Any, index: int | None) -> None:
        """Adds a warning to the row of an attribute that is gone, read-only or of a different type."""
        super().add_fields(form, index)
        if (
            form.instance.pk
            and self.discovered
            and "target" in form.fields
            and form["target"].value() == form.instance.target
        ):
            form.fields["target"].widget.attrs["data-warning"] = attribute_drift.warning(form.instance, self.discovered)

    def validate_unique(self) -> None:
        """Left to the rules, whose message is clearer."""

    def clean(self) -> None:
        super().clean()
        draft: Draft | None = getattr(self.instance, "draft", None)
        if draft is None:
            return
        forms_in_use = [
            form
            for form in self.forms
            if (form not in self.deleted_forms and form.has_changed()) or form in self.initial_forms
        ]
        validated = [form for form in forms_in_use if form not in self.deleted_forms and form.is_valid()]
        known = {(problem.code, problem.where) for problem in draft.problems([])}
        for problem in draft.problems([form.row for form in validated]):
            if (problem.code, problem.where) not in known:
                self._show(problem, validated)
        for form in validated:
            self._fit_value(form, draft)

    def _show(self, problem: Misconfigured, validated: list[MappingForm]) -> None:
        at_column = problem.code == "column_unknown"
        name = "column" if at_column else "target"
        matching = [form for form in validated if getattr(form.row, name) == problem.where]
        if (
            problem.code in WARNED
            and matching
            and not set(matching[-1].changed_data) & {"target", "column", "fixed", "template"}
        ):
            # The attribute could be written when it was mapped. Runs leave it out, and its row has a warning.
            return
        if matching:
            matching[-1].add_error(SHOWN_AT.get(problem.code, name), problem.message)
        else:
            self._non_form_errors.append(problem.message)

    def _fit_value(self, form: MappingForm, draft: Draft) -> None:
        """Stores a fixed value as text if the destination accepts that, else as the number, list or boolean in it."""
        if form.row.column or form.cleaned_data.get("template") or not form.row.target or form.errors:
            return
        text = str(form.instance.value)
        problem = draft.fixed_value_problem(form.row, text)
        parsed = parsed_value(text)
        if isinstance(parsed, list) or (problem and parsed != text):
            problem = draft.fixed_value_problem(form.row, parsed)
            form.instance.value = parsed
        if problem:
            form.add_error("fixed", problem)

    def save(self, commit: bool = True) -> Any:
        """Gives rows whose attribute changes a temporary one first, so that two rows can swap attributes.

        An attribute can be mapped only once. Without this, the first of the two rows would collide with the second.
        """
        changing = [
            form.instance.pk
            for form in self.initial_forms
            if "target" in form.changed_data or form in self.deleted_forms
        ]
        FieldMapping.objects.filter(pk__in=changing).update(
            target=Concat(Value("~"), Cast(F("pk"), FieldMapping._meta.get_field("target")))
        )
        for position, form in enumerate(self.forms):
            form.instance.position = position
        return super().save(commit)


def value_as_text(value: Any) -> str:
    """A fixed value as a person writes it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def parsed_value(text: str) -> Any:
    """The list, number or boolean that the text spells, or else the text itself."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if is_storable(value) else text
