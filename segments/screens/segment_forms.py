"""The form of a segment: its conditions, size limit and tags."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminExpandableTextareaWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from core.errors import Misconfigured
from core.web.forms.json_field import EditorField
from segments.integrity import segments
from segments.integrity.segments import tags_of
from segments.models import DataModel, Segment
from segments.screens.builder import ConditionsField


class TagsField(forms.CharField):
    """Tags, separated by commas."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        return tags_of(str(super().clean(value) or "").split(","))


class SegmentForm(forms.ModelForm):
    """The rows of a model that match a condition tree."""

    where = ConditionsField(label="Conditions", required=False)
    limit = EditorField(required=False, widget=forms.HiddenInput)
    tags = TagsField(
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Keywords for finding the segment, separated by commas.",
    )

    class Meta:
        model = Segment
        fields = ["name", "model", "where", "limit", "description", "tags"]
        widgets = {
            "model": UnfoldAdminSelectWidget(attrs={"data-role": "model"}),
            "description": UnfoldAdminExpandableTextareaWidget(),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "where" in self.fields and self.instance.pk:
            self.fields["where"].widget.attrs["data-model"] = self.instance.model_id

    def clean_limit(self) -> dict[str, Any]:
        return self.cleaned_data["limit"] or {}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        model = cleaned.get("model") or (self.instance.model if self.instance.pk else None)
        if model and "where" in cleaned:
            try:
                self._check(cleaned, model)
            except Misconfigured as problem:
                self.add_error("where", problem.message)
        return cleaned

    def _check(self, cleaned: dict[str, Any], model: DataModel) -> None:
        limit = cleaned.get("limit", self.instance.limit)
        changed = Segment(
            pk=self.instance.pk, model=model, name=cleaned.get("name", ""), where=cleaned["where"], limit=limit
        )
        cleaned["where"], cleaned["limit"] = segments.checked(changed, before=self.initial.get("name", ""))
