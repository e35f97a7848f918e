"""Forms of an activation's rows: field mappings and schedules."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import F, Value
from django.db.models.functions import Cast, Concat
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from activations.models import FieldMapping, Schedule
from activations.setup import attribute_drift, schedules
from activations.setup.spec import MappingSpec
from core.errors import Misconfigured, Problem
from destinations import discovery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from activations.setup.draft import Draft
    from destinations.contract import Field

WARNED = ("attribute_missing", "attribute_read_only")
"""Problems that an attribute can get while it is mapped: what was mapped before stays so, with a warning."""
FIXED = ("", "(fixed value)")
DAYS = [(day, day[:3].capitalize()) for day in (*schedules.WEEKDAYS[1:], schedules.WEEKDAYS[0])]


class MappingForm(forms.ModelForm):
    """One attribute, fed by a column or by a fixed value."""

    fixed = forms.CharField(
        label="fixed value",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"data-role": "fixed"}),
        help_text='The same value for every record. For a list: ["One", "Two"].',
    )

    class Meta:
        model = FieldMapping
        fields = ["column", "target", "when_empty", "multi"]
        widgets = {
            "column": UnfoldAdminSelectWidget(attrs={"data-role": "mapping-column"}),
            "target": UnfoldAdminSelectWidget(attrs={"data-role": "target"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "column" not in self.fields:
            return
        if self.instance.pk and not self.instance.column:
            self.initial["fixed"] = shown_value(self.instance.value)
        for name, first in (("column", FIXED), ("target", ("", "---------"))):
            present = (self.data.get(self.add_prefix(name)) if self.is_bound else self.initial.get(name)) or ""
            self.fields[name].widget.choices = [first, *([(present, present)] if present else [])]

    def has_changed(self) -> bool:
        """A row that holds neither attribute, column nor value was only added."""
        if (
            not self.instance.pk
            and self.is_bound
            and not any(self.data.get(self.add_prefix(name)) for name in ("column", "fixed", "target"))
        ):
            return False
        return super().has_changed()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        text, column = (cleaned.get("fixed") or "").strip(), cleaned.get("column")
        if column and text:
            self.add_error("fixed", "Choose a column or give a fixed value, not both.")
        elif not column and not text:
            self.add_error("column", "Choose a column, or give a fixed value.")
        self.instance.value = None if column else text
        return cleaned

    def validate_constraints(self) -> None:
        """That an attribute is mapped once is judged over all rows, where two rows may trade attributes."""

    @property
    def row(self) -> MappingSpec:
        return MappingSpec(
            target=self.cleaned_data.get("target", ""),
            column=self.cleaned_data.get("column", ""),
            value=self.instance.value,
        )


class MappingFormSet(PaginationInlineFormSet):
    """All rows of an activation, judged together by the rules."""

    @cached_property
    def found(self) -> Sequence[Field]:
        """The destination's fields as they were found last; none where nobody asked yet. The vendor is not asked here."""
        try:
            kept = discovery.cached(self.instance.destination) if self.instance.pk else None
        except Problem:
            return ()
        return kept.fields if kept else ()

    def add_fields(self, form: Any, index: int | None) -> None:
        """What became of a row's attribute is shown beside the row."""
        super().add_fields(form, index)
        if (
            form.instance.pk
            and self.found
            and "target" in form.fields
            and form["target"].value() == form.instance.target
        ):
            form.fields["target"].widget.attrs["data-warning"] = attribute_drift.warning(form.instance, self.found)

    def validate_unique(self) -> None:
        """The rules say it in better words."""

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
        judged = [form for form in forms_in_use if form not in self.deleted_forms and form.is_valid()]
        known = {(problem.code, problem.where) for problem in draft.problems([])}
        for problem in draft.problems([form.row for form in judged]):
            if (problem.code, problem.where) not in known:
                self._show(problem, judged)
        for form in judged:
            self._fit_value(form, draft)

    def _show(self, problem: Misconfigured, judged: list[MappingForm]) -> None:
        at_column = problem.code == "column_unknown"
        name = "column" if at_column else "target"
        found = [form for form in judged if getattr(form.row, name) == problem.where]
        if problem.code in WARNED and found and not set(found[-1].changed_data) & {"target", "column", "fixed"}:
            # It was mapped when that was possible; runs leave it out, and its row says so.
            return
        if found:
            found[-1].add_error(name, problem.message)
        else:
            self._non_form_errors.append(problem.message)

    def _fit_value(self, form: MappingForm, draft: Draft) -> None:
        """Keeps a fixed value as text where the destination takes text, else as the number, list or truth value it says."""
        if form.row.column or not form.row.target or form.errors:
            return
        text = str(form.instance.value)
        refused = draft.fixed_value_problem(form.row.target, text)
        parsed = parsed_value(text)
        if isinstance(parsed, list) or (refused and parsed != text):
            refused = draft.fixed_value_problem(form.row.target, parsed)
            form.instance.value = parsed
        if refused:
            form.add_error("fixed", refused)

    def save(self, commit: bool = True) -> Any:
        """Rows whose attribute changes step aside first, so that two rows may trade attributes."""
        moving = [
            form.instance.pk
            for form in self.initial_forms
            if "target" in form.changed_data or form in self.deleted_forms
        ]
        FieldMapping.objects.filter(pk__in=moving).update(
            target=Concat(Value("~"), Cast(F("pk"), FieldMapping._meta.get_field("target")))
        )
        for position, form in enumerate(self.forms):
            form.instance.position = position
        return super().save(commit)


class ScheduleForm(forms.ModelForm):
    """One schedule: every so often, by a cron line, or on days of the week."""

    days = forms.MultipleChoiceField(
        choices=DAYS, required=False, widget=forms.CheckboxSelectMultiple(attrs={"data-role": "days"}), label="Days"
    )

    class Meta:
        model = Schedule
        fields = ["kind", "every", "unit", "cron", "days", "at", "timezone"]
        widgets = {"kind": UnfoldAdminSelectWidget(attrs={"data-role": "schedule-kind"})}
        labels = {"kind": "When", "at": "At (HH:MM)", "timezone": "Time zone"}

    def has_changed(self) -> bool:
        """A row that a person added counts, also with nothing but what it began with: left out, it would never fire without a word."""
        return self.instance.pk is None or super().has_changed()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        wanted = {name: cleaned[name] for name in self.Meta.fields if cleaned.get(name) not in (None, "")}
        try:
            schedules.check(Schedule(**wanted))
        except Misconfigured as problem:
            self.add_error("kind", problem.message)
        return cleaned


def shown_value(value: Any) -> str:
    """A fixed value as a person writes it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def parsed_value(text: str) -> Any:
    """The list, number or truth value that the text spells, or the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text
