"""The list of sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Count

from core.web.columns import HealthColumns, named, users

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString
    from unfold.admin import ModelAdmin as _ModelAdmin

    from segments.models import Source
else:
    # A mixin: the class that it is added to is a ModelAdmin.
    _ModelAdmin = object


class SourceList(HealthColumns, _ModelAdmin):
    """The columns of the list of sources."""

    list_display = ["named_column", "engine_label", "health_column", "checked_column", "models_column"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Source]:
        rows: QuerySet[Source] = super().get_queryset(request)
        return rows.annotate(models_known=Count("models"))

    @admin.display(description="Name", ordering="name")
    def named_column(self, obj: Source) -> SafeString:
        return named(obj.engine, obj)

    @admin.display(description="Models", ordering="models_known")
    def models_column(self, obj: Any) -> SafeString | str:
        return users("segments_datamodel", "source", obj, obj.models_known)
