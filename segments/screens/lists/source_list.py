"""The list of sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Count
from django.urls import reverse
from django.utils.html import format_html

from core.web.columns import HealthColumns, named

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
        if not obj.models_known:
            return "None"
        link = f"{reverse('admin:segments_datamodel_changelist')}?source__id__exact={obj.pk}"
        return format_html('<a class="d-link" href="{}">{}</a>', link, f"{obj.models_known:,}")
