"""The form of one schedule of an activation, and the rows of all its schedules."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils import timezone
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from activations.models import Activation, Schedule
from activations.scheduling import definition
from core.errors import Misconfigured
from core.web.forms.long_select import FixedChoices, LongSelect
from core.web.formsets import BoundedFormSet
from segments.session import engine

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

DAYS = [(day, day[:3].capitalize()) for day in (*definition.WEEKDAYS[1:], definition.WEEKDAYS[0])]
NO_COUNTER = "This kind of source has no change counter. Enter a column that grows whenever the data changes."
FIELDS = [
    "purpose",
    "kind",
    "every",
    "unit",
    "cron",
    "days",
    "at",
    "after",
    "watch_column",
    "timezone",
    "starts_at",
    "ends_at",
]
MOMENTS = ("starts_at", "ends_at")
_LOCAL = "%Y-%m-%dT%H:%M"
ZONE: Any = Schedule._meta.get_field("timezone")
ZONES = FixedChoices((str(zone), label) for zone, label in ZONE.choices)


class ScheduleForm(forms.ModelForm):
    """One schedule. Its start and its end are entered in its own time zone."""

    days = forms.MultipleChoiceField(
        choices=DAYS, required=False, widget=forms.CheckboxSelectMultiple(attrs={"data-role": "days"}), label="Days"
    )
    starts_at = forms.CharField(
        required=False,
        label="Start",
        help_text="No run is due before. An interval begins with it.",
        widget=forms.TextInput(attrs={"type": "datetime-local", "class": "d-input"}),
    )
    ends_at = forms.CharField(
        required=False,
        label="End",
        help_text="No run is due after.",
        widget=forms.TextInput(attrs={"type": "datetime-local", "class": "d-input"}),
    )
    timezone = forms.TypedChoiceField(label="Time zone", choices=ZONES, coerce=ZONE.to_python, widget=LongSelect())

    class Meta:
        model = Schedule
        fields = FIELDS
        widgets = {
            "purpose": UnfoldAdminSelectWidget(),
            "kind": UnfoldAdminSelectWidget(attrs={"data-role": "schedule-kind"}),
            "every": UnfoldAdminIntegerFieldWidget(attrs={"min": 1}),
            "at": forms.TimeInput(format="%H:%M", attrs={"type": "time", "class": "d-input"}),
            "after": LongSelect(),
            "watch_column": UnfoldAdminTextInputWidget(),
        }
        labels = {
            "purpose": "Purpose",
            "kind": "When",
            "every": "Every",
            "unit": "Unit",
            "cron": "Cron expression",
            "at": "At",
            "after": "Activation",
            "watch_column": "Column (optional)",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["purpose"].required = False
        for name in MOMENTS:
            if moment := getattr(self.instance, name):
                self.initial[name] = moment.astimezone(self.instance.timezone).strftime(_LOCAL)

    def has_changed(self) -> bool:
        """A new row always counts, even with only its initial values: ignoring it would drop the schedule silently."""
        return self.instance.pk is None or super().has_changed()

    def clean_purpose(self) -> str:
        """Drafts that were begun before checks for drift had schedules don't have it."""
        return self.cleaned_data["purpose"] or Schedule.Purpose.RUN.value

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        for name in MOMENTS:
            cleaned[name] = self._moment(name, cleaned["timezone"])
        values = {name: cleaned[name] for name in FIELDS if cleaned.get(name) not in (None, "")}
        try:
            definition.check(Schedule(**values))
        except Misconfigured as problem:
            self.add_error(problem.where if problem.where in FIELDS else "kind", problem.message)
        self._check_kind(cleaned)
        return cleaned

    def save(self, commit: bool = True) -> Schedule:
        """Saves the schedule. If it changed, it counts from now, and the data is looked at again."""
        if self.has_changed():
            self.instance.anchored_at = self.instance.settled_until = timezone.now()
            self.instance.signal_problem = ""
        if {"kind", "watch_column"} & set(self.changed_data):
            self.instance.signal = ""
        saved: Schedule = super().save(commit)
        return saved

    def _moment(self, name: str, zone: ZoneInfo) -> datetime | None:
        text = self.cleaned_data.get(name)
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.add_error(name, "Enter a date and a time.")
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=zone)

    def _check_kind(self, cleaned: dict[str, Any]) -> None:
        """Adds the problems that depend on other activations and on the source."""
        activation = self.instance.activation if self.instance.activation_id else getattr(self, "parent", None)
        after = cleaned.get("after")
        if cleaned["kind"] == Schedule.Kind.AFTER and after and activation and activation.pk:
            followed = definition.followed_by_all(without=activation.pk)
            if definition.circle(activation.pk, {**followed, activation.pk: {after.pk}}):
                self.add_error("after", "This activation would run after itself.")
        has_data = activation and (activation.segment_id or activation.model_id)
        if cleaned["kind"] == Schedule.Kind.DATA_CHANGED and not cleaned.get("watch_column") and has_data:
            assert activation
            if not engine(activation.data_model.source).signals_changes:
                self.add_error("watch_column", NO_COUNTER)


class ScheduleFormSet(BoundedFormSet):
    """The schedules of an activation. Each row has a select of all time zones, so there can be fewer new ones."""

    most_new = 30

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        form.parent = self.instance
        if field := form.fields.get("after"):
            # Without the admin's buttons to add and edit an activation, which would leave the page.
            field.widget = getattr(field.widget, "widget", field.widget)
            field.choices = self.activations

    @cached_property
    def activations(self) -> list[tuple[Any, str]]:
        """The activations that this one can follow, read once for all rows."""
        others = Activation.objects.exclude(pk=self.instance.pk).values_list("pk", "name")
        return [("", "Choose an activation"), *others]
