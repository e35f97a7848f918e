"""The form of one schedule of an activation."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from activations.models import Schedule
from activations.scheduling import definition
from core.errors import Misconfigured
from core.web.forms.long_select import LongSelect

DAYS = [(day, day[:3].capitalize()) for day in (*definition.WEEKDAYS[1:], definition.WEEKDAYS[0])]
PLACES = {
    "interval_invalid": "every",
    "days_invalid": "days",
    "time_missing": "at",
    "cron_invalid": "cron",
}
"""The field of a schedule at which a problem is shown."""


class ScheduleForm(forms.ModelForm):
    """One schedule: an interval, a cron expression, or a time on selected days."""

    days = forms.MultipleChoiceField(
        choices=DAYS, required=False, widget=forms.CheckboxSelectMultiple(attrs={"data-role": "days"}), label="Days"
    )

    class Meta:
        model = Schedule
        fields = ["kind", "every", "unit", "cron", "days", "at", "timezone"]
        widgets = {
            "kind": UnfoldAdminSelectWidget(attrs={"data-role": "schedule-kind"}),
            "timezone": LongSelect(),
            "every": UnfoldAdminIntegerFieldWidget(attrs={"min": 1}),
            "at": forms.TimeInput(format="%H:%M", attrs={"type": "time", "class": "d-input"}),
        }
        labels = {
            "kind": "When",
            "every": "Every",
            "unit": "Unit",
            "cron": "Cron expression",
            "at": "At",
            "timezone": "Time zone",
        }

    def has_changed(self) -> bool:
        """A new row always counts, even with only its initial values: ignoring it would drop the schedule silently."""
        return self.instance.pk is None or super().has_changed()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        values = {name: cleaned[name] for name in self.Meta.fields if cleaned.get(name) not in (None, "")}
        try:
            definition.check(Schedule(**values))
        except Misconfigured as problem:
            self.add_error("cron" if problem.where == "cron" else PLACES.get(problem.code, "kind"), problem.message)
        return cleaned
