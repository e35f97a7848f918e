"""The fields of the editor that say which people are attached to hidden records. No model: nobody is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from activations.models import AttachContacts
from activations.setup import spec_from_db
from activations.setup.attached.rules import MOST_ATTACHED, PLACE
from core.web.forms.long_select import LongSelect
from destinations.registry import services
from segments.models import DataModel

if TYPE_CHECKING:
    from activations.models import Activation
    from activations.setup.spec import AttachSpec

MODEL, COLUMN, AT_MOST, BY = "attach_model", "attach_company_column", "attach_at_most", "attach_by_"
_FIELDS = {f"{PLACE}.model": MODEL, f"{PLACE}.company_column": COLUMN, f"{PLACE}.at_most": AT_MOST}


def labels() -> dict[str, str]:
    """The attributes that find people at any destination: name → label."""
    reveals = [service.reveals for service in services.all.values() if service.reveals]
    return {field.name: field.label for each in reveals for field in each.found_by}


def place(where: str) -> str | None:
    """The form field at which a problem is shown; None if the problem is about something else."""
    kind, _, name = where.partition(".")
    return _FIELDS.get(where, f"{BY}{name}") if kind == PLACE else None


class AttachFields(forms.Form):
    """Adds the fields to a form with an `instance`. The page fills the selects with the columns of the chosen model."""

    instance: Activation

    attach_model = forms.ChoiceField(required=False, label="People", widget=LongSelect(attrs={"data-role": "people"}))
    attach_company_column = forms.CharField(
        required=False,
        label="Column with the key of their company",
        widget=UnfoldAdminSelectWidget(attrs={"data-role": "people-column"}),
    )
    attach_at_most = forms.IntegerField(
        required=False,
        label="At most",
        min_value=1,
        max_value=MOST_ATTACHED,
        initial=1,
        widget=UnfoldAdminIntegerFieldWidget(),
    )

    def fill_attached(self) -> None:
        """Sets the choices and the saved values. A submission without the fields leaves the setting as it is."""
        for name, label in labels().items():
            widget = UnfoldAdminSelectWidget(attrs={"data-role": "people-column", "data-found-by": name})
            self.fields[f"{BY}{name}"] = forms.CharField(
                required=False, label=f"Column with the {label}", widget=widget
            )
        if self.is_bound and MODEL not in self.data:
            for name in [name for name in self.fields if name.startswith("attach_")]:
                self.fields.pop(name)
            return
        models = [(str(pk), name) for pk, name in DataModel.objects.values_list("pk", "name")]
        self.fields[MODEL].choices = [("", "Attach nobody"), *models]  # type: ignore[attr-defined]
        if saved := _saved(self.instance):
            self.initial.update({MODEL: str(saved.model_id), COLUMN: saved.company_column, AT_MOST: saved.at_most})
            self.initial.update({f"{BY}{name}": column for name, column in saved.found_by.items()})
        for name, field in self.fields.items():
            if name == COLUMN or name.startswith(BY):
                present = self.data.get(name) or self.initial.get(name) or ""
                field.widget.choices = [("", "---------"), *([(present, present)] if present else [])]

    def attached(self) -> AttachContacts | None:
        """The setting as the form has it, not saved; None if nobody is attached."""
        if MODEL not in self.fields:
            return _saved(self.instance)
        model = DataModel.objects.filter(pk=self.cleaned_data.get(MODEL) or 0).first()
        service = services[self.instance.destination.service]
        if model is None or service.reveals is None:
            return None
        found_by = {field.name: self.cleaned_data.get(f"{BY}{field.name}", "") for field in service.reveals.found_by}
        return AttachContacts(
            model=model,
            company_column=self.cleaned_data.get(COLUMN, ""),
            found_by={name: column for name, column in found_by.items() if column},
            at_most=self.cleaned_data.get(AT_MOST) or 1,
        )

    def attach_spec(self) -> AttachSpec | None:
        """The setting in the shape that the rules validate."""
        return spec_from_db.attach_spec(self.attached())

    def save_attached(self) -> None:
        """Stores the setting of the saved activation."""
        wanted = self.attached()
        names = ("model", "company_column", "found_by", "at_most")
        AttachContacts.store(self.instance, {name: getattr(wanted, name) for name in names} if wanted else None)


def _saved(activation: Activation) -> AttachContacts | None:
    return AttachContacts.objects.filter(activation=activation.pk).select_related("model").first()
