"""The list of segments: their conditions in words, and their sizes as last counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import OuterRef, Subquery
from django.utils.html import format_html

from core.web.formats import moment, number
from segments.conditions.scope_from_db import scopes_by_source
from segments.models import SegmentSize
from segments.screens.builder import in_words

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString
    from unfold.admin import ModelAdmin as _ModelAdmin

    from segments.models import Segment
else:
    # A mixin: the class that it is added to is a ModelAdmin.
    _ModelAdmin = object


class SegmentList(_ModelAdmin):
    """The columns of the list of segments."""

    list_display = ["name", "size_column", "model", "conditions_column", "tag_list"]
    list_select_related = ["model__source"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Segment]:
        rows: QuerySet[Segment] = super().get_queryset(request)
        last = SegmentSize.objects.filter(segment=OuterRef("pk")).order_by("-day")
        return rows.annotate(size_rows=Subquery(last.values("rows")[:1]), size_day=Subquery(last.values("day")[:1]))

    def prepare_rows(self, request: HttpRequest, rows: list[Any]) -> None:
        """Attaches the conditions in words: the columns that they name are loaded for all rows together."""
        scopes = scopes_by_source({row.model.source_id for row in rows})
        for row in rows:
            row.shown_words = in_words(row.where, scopes[row.model.source_id][row.model.name], row.name)

    @admin.display(description="Rows", ordering="size_rows")
    def size_column(self, obj: Any) -> SafeString | str:
        if obj.size_rows is None:
            return "Not counted yet"
        return format_html('{} <div class="d-muted">{}</div>', number(obj.size_rows), moment(obj.size_day))

    @admin.display(description="Conditions")
    def conditions_column(self, obj: Any) -> SafeString:
        return format_html('<span class="d-clamp" title="{}">{}</span>', obj.shown_words, obj.shown_words)
