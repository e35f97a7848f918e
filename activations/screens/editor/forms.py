"""The form of an activation: data, destination, mode, match, custom attributes and warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from activations import warning_kinds
from activations.models import Activation
from activations.models.activation import MODES
from activations.screens.alerts import limit_fields
from activations.screens.alerts.limit_fields import LimitFields
from activations.screens.attached import fields
from activations.screens.attached.fields import AttachFields
from activations.screens.editor.comparing import ComparingField
from activations.screens.holds import guard_fields
from activations.setup import spec_from_db
from activations.setup.draft import Draft
from activations.setup.identity import RESET, needs_reset, reset_sentence
from core.errors import Problem
from core.web.forms.long_select import LongSelect
from destinations import vendor
from segments.models import DataModel, Segment

if TYPE_CHECKING:
    from core.errors import Misconfigured

NO_CHOICE = ("", "---------")
PLACES = {
    "service": "destination",
    "model": "records",
    "mode": "mode",
    "match": "match_field",
    "custom_attributes": "custom_columns",
}

AUTOMATIC = ("overlap", "catch_up")
FIELDS = [
    "name", "records", "destination", "mode", "compare_first", "match_column", "match_field", "custom_columns",
    "backfill", "paused", *AUTOMATIC,
    "warnings_enabled", *warning_kinds.DEFAULTS, "recipients",
    *guard_fields.FIELDS,
]  # fmt: skip
"""The fields of the form in the order of the steps, apart from the consent to a reset."""


class AnyChoices(forms.MultipleChoiceField):
    """Accepts any value: the choices come from the source, and the rules validate them."""

    def valid_value(self, value: Any) -> bool:
        return True


class ActivationForm(forms.ModelForm, ComparingField, LimitFields, AttachFields):
    """Validated by the rules: always offline, and online if the vendor answers. Each problem is shown at its field."""

    records = forms.ChoiceField(
        label="Which rows do you want to send?",
        widget=LongSelect(attrs={"data-role": "data"}),
        help_text="Those of a segment, or all rows of a model.",
    )
    custom_columns = AnyChoices(
        label="Custom attributes",
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"data-role": "custom-columns"}),
        help_text="Each column that you choose becomes an attribute of the same name. It is created if it is missing.",
    )
    recipients = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        label="Who gets an email",
        help_text="Email addresses, separated by commas, for this activation. Alert channels get its alerts anyway.",
    )
    agree = forms.BooleanField(
        label=RESET,
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
        help_text="The next run sends every record again. Required if you change what identifies records: the model, "
        "the column that tells rows apart, the destination, its workspace, or the match.",
    )

    class Meta:
        model = Activation
        fields = [
            "name", "destination", "mode", "compare_first", "match_column", "match_field", "backfill", "paused",
            *AUTOMATIC,
            "warnings_enabled", *guard_fields.FIELDS,
        ]  # fmt: skip
        widgets = {
            "match_column": UnfoldAdminSelectWidget(attrs={"data-role": "column"}),
            "match_field": UnfoldAdminSelectWidget(attrs={"data-role": "match-field"}),
            "destination": LongSelect(attrs={"data-role": "destination"}),
            "mode": forms.RadioSelect(attrs={"data-role": "mode"}),
            "overlap": UnfoldAdminSelectWidget(),
        }
        labels = {
            "mode": "What should happen with each record?",
            "match_column": "Column",
            "match_field": "Attribute",
            "backfill": "Send a field that you map later",
            "overlap": "If a run is still in progress",
            "catch_up": "Catch up once",
            "warnings_enabled": "Warn if a run looks wrong",
            **guard_fields.LABELS,
        }
        help_texts = {
            "match_column": "",
            "match_field": "",
            "warnings_enabled": "Opens a warning and sends an alert if a completed run goes over one of these limits. "
            "Empty: no limit. Failed, paused and held runs are always reported.",
            **guard_fields.HELP_TEXTS,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.before = self._stored() if self.instance.pk else None
        self.accepted = spec_from_db.accepted_identity(self.before) if self.before else None
        """What the records of its sync history belong to; None if there are none, and nothing can be reset."""
        if "match_column" not in self.fields:
            return
        self.fill_attached()
        self.fields["records"].choices = data_choices  # type: ignore[attr-defined]
        self._fill_initial()
        self._offer_current_values()
        self.fields["mode"].choices = MODES  # type: ignore[attr-defined]
        if self.is_bound or self.instance.pk:
            self.fields["mode"].widget.attrs["data-chosen"] = ""
        if self.accepted is None:
            self.fields.pop("agree", None)
        if self.is_bound:
            self._leave_unknown()

    def _leave_unknown(self) -> None:
        """A draft of an earlier version, or a program, leaves what it doesn't know as it is."""
        groups = {"overlap": AUTOMATIC, "compare_first": ("compare_first",)}
        unknown = [name for known, names in groups.items() if known not in self.data for name in names]
        if not any(name in self.data for name in guard_fields.NUMBERS):
            unknown += guard_fields.FIELDS
        for name in unknown:
            self.fields.pop(name, None)

    def _stored(self) -> Activation | None:
        """The activation as it is stored: validation changes the one of the form."""
        return Activation.objects.filter(pk=self.instance.pk).first() if self.is_bound else self.instance

    def _fill_initial(self) -> None:
        if self.instance.pk:
            self.initial["records"] = data_value(self.instance)
            self.initial["custom_columns"] = list(
                self.instance.mappings.filter(custom_attribute=True).values_list("column", flat=True)
            )
        self.initial["agree"] = self.instance.start_afresh
        self.initial["recipients"] = ", ".join(self.instance.recipients)
        self.initial.update(limit_fields.initial(self.instance.thresholds))

    def _offer_current_values(self) -> None:
        """Selects that the page fills contain at least their current value."""
        for name in ("match_column", "match_field"):
            present = self.data.get(name) or self.initial.get(name) or ""
            self.fields[name].widget.choices = [NO_CHOICE, *([(present, present)] if present else [])]
        chosen = self["custom_columns"].value() or []
        self.fields["custom_columns"].widget.choices = [(name, name) for name in chosen]

    def clean_records(self) -> str:
        value = str(self.cleaned_data["records"])
        kind, _, pk = value.partition(":")
        self.instance.segment = Segment.objects.filter(pk=pk).first() if kind == "segment" else None
        self.instance.model = DataModel.objects.filter(pk=pk).first() if kind == "model" else None
        return value

    def clean_recipients(self) -> list[str]:
        addresses = [part.strip() for part in self.cleaned_data["recipients"].split(",") if part.strip()]
        for address in addresses:
            try:
                validate_email(address)
            except ValidationError:
                raise ValidationError(f"{address} is not a valid email address.") from None
        self.instance.recipients = addresses
        return addresses

    def _post_clean(self) -> None:
        if warning_kinds.DEFAULTS.keys() & self.fields.keys():
            self.instance.thresholds = limit_fields.thresholds(self.cleaned_data)
        super()._post_clean()  # type: ignore[misc]
        if not {"records", "destination", "mode", "match_column", "match_field"} & set(self.errors):
            self._validate()

    def _validate(self) -> None:
        draft = Draft(self.instance, self.cleaned_data.get("custom_columns", []), self.attach_spec())
        self.instance.draft = draft
        for problem in draft.problems([]):
            self.add_error(self._place(problem), problem.message)
        if self.before:
            self._check_reset(self.before)

    def _check_reset(self, before: Activation) -> None:
        """Requires consent if saving resets the sync history. A person may also request a reset without any change."""
        if self.accepted is None:
            return
        old, new = (
            spec_from_db.spec(before).identity(),
            spec_from_db.spec(self.instance).identity(self._workspace(before)),
        )
        changes = needs_reset(self.accepted, old, new)
        agreed = bool(self.cleaned_data.get("agree"))
        if changes and not agreed:
            self.add_error("agree", reset_sentence(changes))
        self.instance.start_afresh = agreed

    def _workspace(self, before: Activation) -> str | None:
        """The workspace of a different connection, requested from the vendor if the connection was never checked."""
        connection = self.instance.destination.connection
        if connection == before.destination.connection or connection.workspace_id:
            return None
        try:
            return vendor.check(connection, timezone.now()).id
        except Problem:
            return None

    def _place(self, problem: Misconfigured) -> str | None:
        """The form field at which a problem is shown."""
        if place := fields.place(problem.where):
            return place
        if problem.where in PLACES:
            return PLACES[problem.where]
        if problem.where == self.instance.match_column and problem.code in ("column_unknown", "match_computed"):
            return "match_column"
        return "custom_columns"


def data_choices() -> list[Any]:
    """Segments and models in two groups."""
    segments = [(f"segment:{pk}", name) for pk, name in Segment.objects.values_list("pk", "name")]
    models = [(f"model:{pk}", f"All of {name}") for pk, name in DataModel.objects.values_list("pk", "name")]
    return [NO_CHOICE, *[group for group in (("Segments", segments), ("Models", models)) if group[1]]]


def data_value(activation: Activation) -> str:
    """The value of the data select for an activation."""
    return f"segment:{activation.segment_id}" if activation.segment_id else f"model:{activation.model_id}"
