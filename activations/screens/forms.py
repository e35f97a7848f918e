"""The form of an activation: data, destination, mode, match, custom attributes and warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from activations.models import Activation
from activations.setup.draft import Proposal, identity_changed
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


class AnyChoices(forms.MultipleChoiceField):
    """Takes every value: what may be chosen is known at the source, and the rules judge it."""

    def valid_value(self, value: Any) -> bool:
        return True


class ActivationForm(forms.ModelForm):
    """Checks by the rules, offline always and online where the vendor answers; each problem stands at its field."""

    records = forms.ChoiceField(
        label="Data",
        widget=UnfoldAdminSelectWidget(attrs={"data-role": "data"}),
        help_text="Which records are sent: those of a segment, or all of a model.",
    )
    custom_columns = AnyChoices(
        label="Custom attributes",
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"data-role": "custom-columns"}),
        help_text="Each chosen column is kept as an attribute of the same name, created where it is missing.",
    )
    recipients = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Mail addresses that hear of warnings, separated by commas.",
    )
    agree = forms.BooleanField(
        label="Start afresh",
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
        help_text="Needed where you change the data, the destination or the match: the next run then sends every record as if new.",
    )

    class Meta:
        model = Activation
        fields = [
            "name", "destination", "mode", "match_column", "match_field", "backfill", "paused",
            "warnings_enabled", "rejected_percent", "invalid_percent", "size_change_percent",
        ]  # fmt: skip
        widgets = {
            "match_column": UnfoldAdminSelectWidget(attrs={"data-role": "column"}),
            "match_field": UnfoldAdminSelectWidget(attrs={"data-role": "match-field"}),
            "destination": UnfoldAdminSelectWidget(attrs={"data-role": "destination"}),
            "mode": UnfoldAdminSelectWidget(attrs={"data-role": "mode"}),
        }
        help_texts = {"mode": "Where the platform speaks of an “insert mode”: on is Upsert, off is Update."}
        labels = {
            "match_field": "Match attribute",
            "backfill": "A field added later is sent",
            "rejected_percent": "Rejected records, %",
            "invalid_percent": "Invalid records, %",
            "size_change_percent": "Change in size, %",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.before = Activation.objects.filter(pk=self.instance.pk).first() if self.instance.pk else None
        if "match_column" not in self.fields:
            return
        self.fields["records"].choices = data_choices()  # type: ignore[attr-defined]
        self._fill_initial()
        self._offer_present_values()
        if not self._has_history():
            self.fields.pop("agree", None)

    def _fill_initial(self) -> None:
        if self.instance.pk:
            self.initial["records"] = data_value(self.instance)
            self.initial["custom_columns"] = list(
                self.instance.mappings.filter(custom_attribute=True).values_list("column", flat=True)
            )
        self.initial["recipients"] = ", ".join(self.instance.recipients)

    def _offer_present_values(self) -> None:
        """Selects that the page fills hold at least their present value."""
        for name in ("match_column", "match_field"):
            present = self.data.get(name) or self.initial.get(name) or ""
            self.fields[name].widget.choices = [NO_CHOICE, *([(present, present)] if present else [])]
        chosen = self["custom_columns"].value() or []
        self.fields["custom_columns"].widget.choices = [(name, name) for name in chosen]

    def _has_history(self) -> bool:
        return bool(self.instance.pk and self.instance.generations.exists())

    def clean_records(self) -> str:
        value = str(self.cleaned_data["records"])
        kind, _, pk = value.partition(":")
        self.instance.segment = Segment.objects.filter(pk=pk).first() if kind == "segment" else None
        self.instance.model = DataModel.objects.filter(pk=pk).first() if kind == "model" else None
        return value

    def clean_recipients(self) -> list[str]:
        found = [part.strip() for part in self.cleaned_data["recipients"].split(",") if part.strip()]
        for address in found:
            try:
                validate_email(address)
            except ValidationError:
                raise ValidationError(f"{address} is no mail address.") from None
        self.instance.recipients = found
        return found

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if not {"records", "destination", "mode", "match_column", "match_field"} & set(self.errors):
            self._judge()

    def _judge(self) -> None:
        proposal = Proposal(self.instance, self.cleaned_data.get("custom_columns", []))
        self.instance.proposal = proposal
        for problem in proposal.problems([]):
            self.add_error(self._place(problem), problem.message)
        if self.before and self._has_history() and identity_changed(self.before, self.instance):
            if not self.cleaned_data.get("agree"):
                self.add_error(
                    "agree",
                    "Data, destination or match changed, so what was sent before says nothing any more. Agree to start afresh.",
                )
            self.instance.start_afresh = True

    def _place(self, problem: Misconfigured) -> str | None:
        """The form field at which a problem is shown."""
        if problem.where in PLACES:
            return PLACES[problem.where]
        if problem.where == self.instance.match_column and problem.code in ("column_unknown", "match_computed"):
            return "match_column"
        return "custom_columns"


def data_choices() -> list[Any]:
    """Segments and models in two groups."""
    segments = [(f"segment:{segment.pk}", segment.name) for segment in Segment.objects.all()]
    models = [(f"model:{model.pk}", f"All of {model.name}") for model in DataModel.objects.all()]
    return [NO_CHOICE, *[group for group in (("Segments", segments), ("Models", models)) if group[1]]]


def data_value(activation: Activation) -> str:
    """The value of the data select for an activation."""
    return f"segment:{activation.segment_id}" if activation.segment_id else f"model:{activation.model_id}"
