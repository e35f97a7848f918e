"""The list of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Count

from core.web.columns import named
from core.web.formats import number
from core.web.screens import pill

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString
    from unfold.admin import ModelAdmin as _ModelAdmin

    from segments.models import DataModel
else:
    # A mixin: the class that it is added to is a ModelAdmin.
    _ModelAdmin = object


class ModelList(_ModelAdmin):
    """The columns of the list of models."""

    list_display = ["name", "state", "source_column", "rows_from", "size", "kind_name", "column_count"]
    list_filter = ["source", "kind"]
    search_fields = ["name", "table", "source__name"]
    list_select_related = ["source"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[DataModel]:
        rows: QuerySet[DataModel] = super().get_queryset(request)
        return rows.annotate(columns_known=Count("columns")).defer("source__secrets")

    @admin.display(description="Source", ordering="source__name")
    def source_column(self, obj: DataModel) -> SafeString:
        return named(obj.source.engine, obj.source)

    @admin.display(description="Kind", ordering="kind")
    def kind_name(self, obj: DataModel) -> str:
        return obj.get_kind_display().partition(":")[0]

    @admin.display(description="Table or query", ordering="table")
    def rows_from(self, obj: DataModel) -> str:
        return obj.table or "SQL query"

    @admin.display(description="Rows", ordering="row_count")
    def size(self, obj: DataModel) -> str:
        return "Not counted yet" if obj.row_count is None else number(obj.row_count)

    @admin.display(description="State")
    def state(self, obj: DataModel) -> SafeString:
        if obj.problem:
            return pill("Source changed", "bad")
        if obj.key_warning:
            return pill("Key warning", "warn")
        return pill("Working", "good") if obj.checked_at else pill("Not checked yet", "calm")

    @admin.display(description="Columns", ordering="columns_known")
    def column_count(self, obj: Any) -> str:
        return number(obj.columns_known)
