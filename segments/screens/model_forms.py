"""The forms of a model, its columns and its relations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.utils.html import format_html
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminSelectWidget

from core.errors import Misconfigured, Problem
from core.templatetags.screens import docs
from core.text.characters import is_one_line
from core.text.names import MESSAGE
from segments.integrity import segments
from segments.models import Column, DataModel, Relation
from segments.sources import discovery, key_check

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.utils.safestring import SafeString

    from segments.contract import ColumnInfo

NO_CHOICE = ("", "---------")
AUTOMATIC = ("", "Chosen automatically")
SHAPES = [("table", "A table or view"), ("sql", "A SQL query")]


class ModelForm(forms.ModelForm):
    """A table or a query of a source. Validation queries the source: is it readable, and is its key unique?"""

    key_warning: str | None = None
    """The warning about the key, "" for none; None if the key was not checked."""
    discovered: list[ColumnInfo] | None = None
    """The columns that the source has."""

    shape = forms.ChoiceField(
        label="Rows come from",
        choices=SHAPES,
        initial="table",
        widget=UnfoldAdminRadioSelectWidget(attrs={"data-role": "shape"}),
    )

    class Meta:
        model = DataModel
        fields = ["name", "source", "kind", "table", "sql", "primary_key", "display_column"]
        widgets = {
            "source": UnfoldAdminSelectWidget(attrs={"data-role": "source"}),
            "table": UnfoldAdminSelectWidget(attrs={"data-role": "table"}),
            "primary_key": UnfoldAdminSelectWidget(attrs={"data-role": "primary-key"}),
            "display_column": UnfoldAdminSelectWidget(),
        }
        help_texts = {
            "table": "The tables and views of the source.",
            "sql": "One read-only SELECT.",
            "primary_key": "The column that uniquely identifies each row. It can't be changed later.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._add_help("primary_key", docs("choices", "primary-key-of-a-model", "the primary key"))
        self._add_help("display_column", docs("choices", "display-column-of-a-model", "the display column"))
        if "table" not in self.fields:
            return
        if self.instance.pk:
            self.initial["shape"] = "sql" if self.instance.sql else "table"
            self.fields["table"].widget.attrs["data-source"] = self.instance.source_id
        else:
            # The columns are known only once the rows are.
            self.fields.pop("display_column", None)
        if "display_column" in self.fields:
            self.fields["display_column"].widget.choices = self._display_choices()
        for name in ("table", "primary_key"):
            if name in self.fields:
                value = self.data.get(name) or self.initial.get(name) or ""
                self.fields[name].widget.choices = [NO_CHOICE, *([(value, value)] if value else [])]

    def _add_help(self, name: str, link: SafeString) -> None:
        if name in self.fields:
            self.fields[name].help_text = format_html("{} {}", self.fields[name].help_text, link)

    def _display_choices(self) -> list[tuple[str, str]]:
        model = self.instance
        names = [name for name in model.source_types() if name != model.primary_key]
        present = [model.display_column] if model.display_column not in ("", model.primary_key, *names) else []
        return [AUTOMATIC, (model.primary_key, "The key alone"), *((name, name) for name in (*present, *names))]

    def clean_display_column(self) -> str:
        """Only a column that is offered: a form may be sent by anything."""
        chosen = str(self.cleaned_data["display_column"] or "")
        if chosen not in dict(self._display_choices()):
            raise forms.ValidationError("The model has no such column. Choose one of the list.")
        return chosen

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        shape = cleaned.get("shape", "table")
        cleaned["sql" if shape == "table" else "table"] = ""
        if not cleaned.get(shape):
            self.add_error(shape, "Choose a table." if shape == "table" else "Enter a query.")
        elif "source" in cleaned or self.instance.pk:
            self._discover(cleaned, shape)
        return cleaned

    def _discover(self, cleaned: dict[str, Any], shape: str) -> None:
        source = cleaned.get("source") or self.instance.source
        try:
            seconds = settings.SOURCE_PREVIEW_SECONDS
            columns = self.discovered = discovery.discover(
                source, table=cleaned["table"], sql=cleaned["sql"], seconds=seconds
            )
        except Problem as problem:
            self.add_error(shape, problem.message)
            return
        self._check_key(cleaned, columns)

    def _check_key(self, cleaned: dict[str, Any], columns: list[ColumnInfo]) -> None:
        key = cleaned.get("primary_key") or self.instance.primary_key
        key_field = "primary_key" if "primary_key" in self.fields else None
        if not key:
            return
        if key not in {column.name for column in columns}:
            known = ", ".join(column.name for column in columns)
            self.add_error(key_field, f"There is no column “{key}”. Choose one of: {known}.")
        elif {"source", "table", "sql", "primary_key"} & set(self.changed_data):
            self._count_keys(cleaned, key, key_field)

    def _count_keys(self, cleaned: dict[str, Any], key: str, key_field: str | None) -> None:
        source = cleaned.get("source") or self.instance.source
        model = DataModel(source=source, table=cleaned["table"], sql=cleaned["sql"], primary_key=key)
        try:
            verdict = key_check.check_while_waiting(model)
        except Problem as problem:
            examples = key_check.examples(model) if problem.code == "primary_key_unusable" else ""
            self.add_error(key_field, problem.message + examples)
            return
        self.key_warning = verdict.message if verdict.level == "warning" else ""
        self.instance.row_count = model.row_count


class ColumnForm(forms.ModelForm):
    """The settings of a column in its model: whether it is used, its name, and whether it is categorical."""

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
            raise forms.ValidationError("The primary key can't be renamed or unchecked.")
        if column.pk:
            self._refuse_used(cleaned, self.initial["name"])
        return cleaned

    def _refuse_used(self, cleaned: dict[str, Any], before: str) -> None:
        """A column stays checked while something uses it, and keeps its name while records are matched by it."""
        model = self.instance.model
        if "used" in self.changed_data and not cleaned["used"] and (users := segments.users_of_column(model, before)):
            message = f"“{before}” is used by {', '.join(users)}. Keep it checked, or remove it from there first."
            self.add_error("used", message)
        if "name" in self.changed_data:
            # Only a name that a person gives: columns of the source have any name.
            if not is_one_line(cleaned.get("name", "")):
                self.add_error("name", MESSAGE)
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
    """Returns the columns that a relation can point to, by the ID of the other model. The primary key is first."""
    others = DataModel.objects.filter(source=model.source).exclude(pk=model.pk)
    # Values instead of objects: a source may have hundreds of models, with thousands of columns.
    found = {pk: [key] for pk, key in others.values_list("pk", "primary_key")}
    columns = Column.objects.filter(model__in=others, used=True, definition={})
    for pk, name in columns.order_by("model", "position", "pk").values_list("model", "name"):
        found[pk].append(name)
    return {pk: list(dict.fromkeys(names)) for pk, names in found.items()}


class RelationForm(forms.ModelForm):
    """A column of the model, and the column of another model that it points to."""

    parent_model: DataModel | None = None
    columns: Mapping[int, list[str]] = {}
    """The result of `columns_of_others`. The page offers only the columns of the selected model."""

    from_column = forms.ChoiceField(label="Column", widget=UnfoldAdminSelectWidget())
    to_column = forms.ChoiceField(label="Column of that model", widget=UnfoldAdminSelectWidget())

    class Meta:
        model = Relation
        fields = ["from_column", "to_model", "to_column"]
        widgets = {"to_model": UnfoldAdminSelectWidget()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.parent_model is None:
            return
        fields: dict[str, Any] = self.fields
        fields["to_model"].queryset = DataModel.objects.filter(pk__in=self.columns)
        fields["from_column"].choices = [NO_CHOICE, *((name, name) for name in self.parent_model.source_types())]
        names = dict.fromkeys(name for columns in self.columns.values() for name in columns)
        fields["to_column"].choices = [NO_CHOICE, *((name, name) for name in names)]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        model, column = cleaned.get("to_model"), cleaned.get("to_column")
        if model and column and column not in model.source_types():
            self.add_error("to_column", f"{model} has no column “{column}”. It has: {', '.join(model.source_types())}.")
        return cleaned
