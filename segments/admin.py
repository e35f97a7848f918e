"""Screens of sources, models and segments."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from unfold.admin import TabularInline

from core.screens import Button, ScreenAdmin
from segments import discovery
from segments import source_screens as source_screens
from segments.builder import in_words
from segments.forms import ModelForm, SegmentForm
from segments.models import Column, DataModel, Segment


class ColumnInline(TabularInline):
    """What the source has, for looking at."""

    model = Column
    fields = readonly_fields = ["name", "type", "native", "nullable"]
    extra = 0
    can_delete = False
    tab = True
    hide_title = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(DataModel)
class DataModelAdmin(ScreenAdmin):
    form = ModelForm
    inlines = [ColumnInline]
    list_display = ["name", "source", "kind_name", "rows_from", "primary_key", "column_count"]
    list_filter = ["source", "kind"]
    search_fields = ["name", "table", "source__name"]
    list_select_related = ["source"]
    stay_after_adding = True
    empty_title = "No model yet"
    empty_text = "A model says what the rows of a table or query are: companies, people, orders. Add a source first."

    class Media:
        js = ["dinmo/model.js"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[DataModel]:
        return super().get_queryset(request).annotate(columns_known=Count("columns")).defer("source__secrets")

    def get_fields(self, request: HttpRequest, obj: DataModel | None = None) -> list[str]:
        return ["name", "source", "kind", "shape", "table", "sql", "primary_key"]

    def get_readonly_fields(self, request: HttpRequest, obj: DataModel | None = None) -> list[str]:
        return ["source", "primary_key"] if obj else []

    def get_inlines(self, request: HttpRequest, obj: DataModel | None) -> list[Any]:
        return [ColumnInline] if obj else []

    def save_model(self, request: HttpRequest, obj: DataModel, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.found is not None:
            discovery.store_columns(obj, form.found)
        if form.key_warning:
            messages.warning(request, form.key_warning)

    def buttons(self, request: HttpRequest, obj: DataModel) -> Iterable[Button]:
        yield Button("refresh", "Read columns again", "refresh")
        yield Button("segment", "Add a segment", "add", href=f"{reverse('admin:segments_segment_add')}?model={obj.pk}")

    def panel(self, request: HttpRequest, obj: DataModel) -> dict[str, Any]:
        return {"screen_panel": "screens/preview.html", "preview_url": reverse("api:model-preview", args=[obj.pk])}

    def do_refresh(self, request: HttpRequest, obj: DataModel) -> None:
        discovery.refresh_columns(obj)
        messages.success(request, f"{obj.columns.count()} columns found.")

    @admin.display(description="Kind", ordering="kind")
    def kind_name(self, obj: DataModel) -> str:
        return obj.get_kind_display().partition(":")[0]

    @admin.display(description="Rows from", ordering="table")
    def rows_from(self, obj: DataModel) -> str:
        return obj.table or "SQL query"

    @admin.display(description="Columns", ordering="columns_known")
    def column_count(self, obj: Any) -> int:
        return int(obj.columns_known)


@admin.register(Segment)
class SegmentAdmin(ScreenAdmin):
    form = SegmentForm
    list_display = ["name", "model", "says"]
    list_filter = ["model"]
    search_fields = ["name", "description", "model__name"]
    list_select_related = ["model"]
    list_per_page = 25
    stay_after_adding = True
    empty_title = "No segment yet"
    empty_text = "A segment is the rows of a model that meet your conditions, for example paying companies in France. No SQL needed."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Segment]:
        return super().get_queryset(request).prefetch_related("model__columns")

    def get_fields(self, request: HttpRequest, obj: Segment | None = None) -> list[str]:
        """Conditions in words for who may only look."""
        looks = obj is not None and not self.has_change_permission(request, obj)
        return ["name", "model", "says" if looks else "where", "description"]

    def get_readonly_fields(self, request: HttpRequest, obj: Segment | None = None) -> list[str]:
        return ["model", "says"] if obj else []

    def buttons(self, request: HttpRequest, obj: Segment) -> Iterable[Button]:
        yield Button(
            "activation", "Activate", "sync", primary=True, href=f"{reverse('admin:activations_activation_add')}?records=segment:{obj.pk}"
        )

    @admin.display(description="Conditions")
    def says(self, obj: Segment) -> str:
        return in_words(obj.where, {column.name: column.type for column in obj.model.columns.all()})
