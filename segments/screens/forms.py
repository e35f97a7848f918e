"""Forms of sources, models and segments."""

from __future__ import annotations

import zoneinfo
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.template.defaultfilters import filesizeformat
from unfold.widgets import (
    UnfoldAdminExpandableTextareaWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelect2Widget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from core.errors import Misconfigured, Problem
from core.web import parameter_form
from segments.integrity import segments
from segments.integrity.segments import tags_of
from segments.models import Column, DataModel, Relation, Segment, Source
from segments.screens.builder import ConditionsField
from segments.sources import discovery, key_check, uploads

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.core.files.uploadedfile import UploadedFile

    from segments.contract import ColumnInfo, Engine

TEST = "_test"
"""The button that saves a source and tests it."""
PATH = f"{parameter_form.PREFIX}path"
NO_CHOICE = ("", "---------")
SHAPES = [("table", "A table or view"), ("sql", "A SQL query")]


class SourceForm(forms.ModelForm):
    """A source. Subclassed for each engine, with the fields of its parameters."""

    engine_plugin: Engine
    moved = False
    """Whether a saved source has other settings now."""
    probe: discovery.Probe | None = None
    """How a test of these settings went, where one was asked for."""

    timezone = forms.ChoiceField(
        choices=lambda: [(name, name) for name in sorted(zoneinfo.available_timezones())],
        initial="UTC",
        label="Time zone",
        widget=UnfoldAdminSelect2Widget(),
        help_text="The zone of dates with a time but without a zone.",
    )

    class Meta:
        model = Source
        fields = ["name", "timezone"]
        help_texts = {"name": "How you will recognise it, e.g. “Warehouse”."}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if file := cleaned.get("upload"):
            self._keep(cleaned, file)
        try:
            config, secrets = parameter_form.values(self.engine_plugin.parameters, cleaned, self.instance.secrets)
        except Misconfigured as problem:
            if parameter_form.PREFIX + problem.where not in self.errors:
                parameter_form.report(self, problem)
            return cleaned
        if self.instance.pk and (config, secrets) != (self.instance.config, self.instance.secrets):
            self.instance.forget_health()
            self.moved = True
        self.instance.engine = self.engine_plugin.slug
        self.instance.config, self.instance.secrets = config, secrets
        if TEST in self.data and not self.errors:
            self.instance.timezone = cleaned["timezone"]
            self.probe = discovery.probe(self.instance)
        return cleaned

    def _keep(self, cleaned: dict[str, Any], file: UploadedFile) -> None:
        """Takes an uploaded file for the path."""
        try:
            uploads.check(file, self.engine_plugin.endings)
            if not self.errors:
                cleaned[PATH] = uploads.store(file, self.instance.config.get("path", ""))
        except Misconfigured as problem:
            self.add_error("upload", problem.message)
        cleaned[PATH] = cleaned.get(PATH) or file.name


def source_form(engine: Engine, source: Source | None) -> type[SourceForm]:
    """The form of an engine's sources, filled from `source` where there is one."""
    config, secrets = (source.config, source.secrets) if source else ({}, {})
    inputs = parameter_form.fields(engine.parameters, config, secrets)
    if engine.endings:
        inputs[PATH].required = False
        most = filesizeformat(settings.SOURCE_UPLOAD_MAX_BYTES)
        help_text = f"Instead of a path: a file of at most {most}. A new one takes the place of the last."
        widget = UnfoldAdminFileFieldWidget(attrs={"accept": ",".join(engine.endings)})
        inputs["upload"] = forms.FileField(label="Upload", required=False, help_text=help_text, widget=widget)
    return type("EngineForm", (SourceForm,), {**inputs, "engine_plugin": engine})


class ModelForm(forms.ModelForm):
    """A table or a query of a source. The source itself says whether it can be read, and whether its key tells rows apart."""

    key_warning: str | None = None
    """What was found of the key; None where it stays as it was."""
    found: list[ColumnInfo] | None = None
    """The columns that the source has."""

    shape = forms.ChoiceField(
        label="Rows come from",
        choices=SHAPES,
        initial="table",
        widget=UnfoldAdminRadioSelectWidget(attrs={"data-role": "shape"}),
    )

    class Meta:
        model = DataModel
        fields = ["name", "source", "kind", "table", "sql", "primary_key"]
        widgets = {
            "source": UnfoldAdminSelectWidget(attrs={"data-role": "source"}),
            "table": UnfoldAdminSelectWidget(attrs={"data-role": "table"}),
            "primary_key": UnfoldAdminSelectWidget(attrs={"data-role": "primary-key"}),
        }
        help_texts = {
            "table": "The tables and views of the source.",
            "sql": "One read-only SELECT.",
            "primary_key": "The column that tells rows apart. It can't be changed later.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "table" not in self.fields:
            return
        if self.instance.pk:
            self.initial["shape"] = "sql" if self.instance.sql else "table"
            self.fields["table"].widget.attrs["data-source"] = self.instance.source_id
        for name in ("table", "primary_key"):
            if name in self.fields:
                present = self.data.get(name) or self.initial.get(name) or ""
                self.fields[name].widget.choices = [NO_CHOICE, *([(present, present)] if present else [])]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        shape = cleaned.get("shape", "table")
        cleaned["sql" if shape == "table" else "table"] = ""
        if not cleaned.get(shape):
            self.add_error(shape, "Choose a table." if shape == "table" else "Write a query.")
        elif "source" in cleaned or self.instance.pk:
            self._look(cleaned, shape)
        return cleaned

    def _look(self, cleaned: dict[str, Any], shape: str) -> None:
        source = cleaned.get("source") or self.instance.source
        try:
            seconds = settings.SOURCE_PREVIEW_SECONDS
            columns = self.found = discovery.discover(
                source, table=cleaned["table"], sql=cleaned["sql"], seconds=seconds
            )
        except Problem as problem:
            self.add_error(shape, problem.message)
            return
        self._check_key(cleaned, columns)

    def _check_key(self, cleaned: dict[str, Any], columns: list[ColumnInfo]) -> None:
        key = cleaned.get("primary_key") or self.instance.primary_key
        place = "primary_key" if "primary_key" in self.fields else None
        if not key:
            return
        if key not in {column.name for column in columns}:
            self.add_error(
                place, f"There is no column {key!r}. Choose one of: {', '.join(column.name for column in columns)}."
            )
        elif {"source", "table", "sql", "primary_key"} & set(self.changed_data):
            self._count_keys(cleaned, key, place)

    def _count_keys(self, cleaned: dict[str, Any], key: str, place: str | None) -> None:
        source = cleaned.get("source") or self.instance.source
        model = DataModel(source=source, table=cleaned["table"], sql=cleaned["sql"], primary_key=key)
        try:
            verdict = key_check.check_at_once(model)
        except Problem as problem:
            more = key_check.examples(model) if problem.code == "primary_key_unusable" else ""
            self.add_error(place, problem.message + more)
            return
        self.key_warning = verdict.message if verdict.level == "warning" else ""


class ColumnForm(forms.ModelForm):
    """How a model shows a column of its source."""

    class Meta:
        model = Column
        fields = ["used", "name", "categorical"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        column = self.instance
        if (
            column.pk
            and column.source_name == column.model.primary_key
            and (not cleaned.get("used") or "name" in self.changed_data)
        ):
            raise forms.ValidationError("The primary key stays as it is, and ticked.")
        if column.pk:
            self._refuse_used(cleaned, self.initial["name"])
        return cleaned

    def _refuse_used(self, cleaned: dict[str, Any], before: str) -> None:
        """A column keeps its tick while something uses it, and its name while records are matched by it."""
        model = self.instance.model
        if "used" in self.changed_data and not cleaned["used"] and (users := segments.users_of_column(model, before)):
            self.add_error(
                "used", f"{before!r} is used by {', '.join(users)}. Leave it ticked, or take it out there first."
            )
        if "name" in self.changed_data:
            try:
                segments.refuse_rename(model, before)
            except Misconfigured as problem:
                self.add_error("name", problem.message)

    def save(self, commit: bool = True) -> Any:
        column = self.instance
        before = self.initial.get("name", "")
        if "name" in self.changed_data and before:
            column.origin = "" if column.name == (column.origin or before) else (column.origin or before)
            segments.rename_column(column.model, before, column.name)
        return super().save(commit)


def columns_of_others(model: DataModel) -> dict[int, list[str]]:
    """The columns of each other model of the source that a relation can point at, the primary key first."""
    others = DataModel.objects.filter(source=model.source).exclude(pk=model.pk).prefetch_related("columns")
    names = {
        other: [column.name for column in other.columns.all() if column.used and not column.definition]
        for other in others
    }
    return {other.pk: list(dict.fromkeys([other.primary_key, *known])) for other, known in names.items()}


class RelationForm(forms.ModelForm):
    """A column of the model, and the column of another model that it points at."""

    of: DataModel | None = None
    columns: Mapping[int, list[str]] = {}
    """Of the other models, as `columns_of_others`; the page shows only those of the model that is chosen."""

    from_column = forms.ChoiceField(label="Column", widget=UnfoldAdminSelectWidget())
    to_column = forms.ChoiceField(label="Its column", widget=UnfoldAdminSelectWidget())

    class Meta:
        model = Relation
        fields = ["from_column", "to_model", "to_column"]
        widgets = {"to_model": UnfoldAdminSelectWidget()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.of is None:
            return
        fields: dict[str, Any] = self.fields
        fields["to_model"].queryset = DataModel.objects.filter(pk__in=self.columns)
        fields["from_column"].choices = [NO_CHOICE, *((name, name) for name in self.of.source_types())]
        names = dict.fromkeys(name for columns in self.columns.values() for name in columns)
        fields["to_column"].choices = [NO_CHOICE, *((name, name) for name in names)]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        model, column = cleaned.get("to_model"), cleaned.get("to_column")
        if model and column and column not in model.source_types():
            self.add_error("to_column", f"{model} has no column {column!r}. It has: {', '.join(model.source_types())}.")
        return cleaned


class TagsField(forms.CharField):
    """Words separated by commas."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        return tags_of(str(super().clean(value) or "").split(","))


class SegmentForm(forms.ModelForm):
    """The rows of a model that meet conditions."""

    where = ConditionsField(label="Conditions", required=False)
    limit = forms.JSONField(required=False, widget=forms.HiddenInput)
    tags = TagsField(
        required=False, widget=UnfoldAdminTextInputWidget(), help_text="Words to find it by, separated by commas."
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
