"""The list of the latest records, and the addresses of the pages of one record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.urls import path
from django.utils.html import format_html

from activations.models import Change
from activations.screens.run.change_admin import ChangeAdmin as ChangePages
from activations.screens.run.rows import timeline, title
from activations.screens.timeline import found_records, record_page
from segments.screens.record_values import may_see_values

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern
    from django.utils.safestring import SafeString


@admin.register(Change)
class ChangeAdmin(ChangePages):
    """The latest decisions about records, the search for one, and its timeline."""

    list_display_links: Any = None
    # The newest come first. There may be millions, which no page sorts or counts.
    sortable_by: Any = ()
    # Which records a run created is on its page: here, it would take a search through millions.
    list_filter = ["outcome", "run__activation"]
    search_fields = ["key"]
    """Searched in `get_search_results`. Django shows the search only if there is a field."""
    list_before_template = "screens/timeline/search_source.html"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("of/<int:model_id>/", wrap(self.record_view), name="record_timeline"),
            path("of/<int:model_id>/live/", wrap(self.live_view), name="record_timeline_live"),
            *super().get_urls(),
        ]

    def record_view(self, request: HttpRequest, model_id: int) -> HttpResponse:
        return record_page.record_view(request, model_id, self.admin_site)

    def live_view(self, request: HttpRequest, model_id: int) -> HttpResponse:
        return record_page.live_view(request, model_id)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": "Records", **(extra_context or {})})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Change], search_term: str
    ) -> tuple[QuerySet[Change], bool]:
        text = search_term.strip()
        fields = found_records.fields_for(sees=may_see_values(request.user))
        return (queryset.filter(pk__in=found_records.change_ids(text, fields)) if text else queryset), False

    @admin.display(description="Record", ordering="name")
    def record(self, obj: Change) -> SafeString:
        address = timeline(obj.run.activation.data_model.pk, obj.key)
        if not address:
            return format_html('<span class="d-muted">{}</span>', title(obj))
        key = format_html('<div class="d-muted">{}</div>', obj.key) if obj.name else ""
        return format_html('<a class="d-link" href="{}">{}</a>{}', address, title(obj), key)
