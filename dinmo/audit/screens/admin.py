"""The list of audit log entries, the page of one entry, and the CSV download."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.paginator import InfinitePaginator

from activations.screens.run.run_admin import ReadOnlyAdmin
from core import audit
from core.audit import Verb
from core.web.formats import moment
from core.web.screens import Button
from dinmo.audit.models import AuditEntry
from dinmo.audit.screens import download
from dinmo.audit.screens.filters import ObjectFilter, TimeFilter, VerbFilter, WhoFilter
from dinmo.audit.screens.words import OBJECTS, WITHOUT_PAGE, summary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.utils.safestring import SafeString


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Read-only. The database prevents changes as well."""

    list_display = ["when", "who", "what", "about", "change", "address"]
    list_filter = [WhoFilter, VerbFilter, ObjectFilter, TimeFilter]
    list_before_template = "audit/download.html"
    search_fields = ["object_name__icontains", "actor_label__icontains"]
    search_help_text = "Name of an object or actor"
    has_many_rows = True
    show_full_result_count = False
    paginator = InfinitePaginator
    ordering = ["-pk"]
    sortable_by = ()
    actions = None
    empty_title = "No entries"
    empty_text = "Changes made by users, trigger tokens, commands and DinMo are listed here."

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.csv_view)
        return [path("csv/", view, name=self.url_name("csv")), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        query = request.GET.urlencode()
        address = f"{self.url('csv')}{'?' if query else ''}{query}"
        return super().changelist_view(request, {"csv_address": address, **(extra_context or {})})

    def csv_view(self, request: HttpRequest) -> StreamingHttpResponse:
        """The entries of the list as CSV, with the same filters and search."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        self.refuse_query(request)
        entries = self.get_changelist_instance(request).get_queryset(request)
        audit.announce(Verb.EXPORTED, "Audit log")
        headers = {"Content-Disposition": 'attachment; filename="audit-log.csv"', "Cache-Control": "no-store"}
        return StreamingHttpResponse(download.lines(entries), content_type="text/csv; charset=utf-8", headers=headers)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of one entry, with all changes."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        entry = self.get_object(request, object_id)
        if entry is None:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": entry,
            "title": ": ".join(filter(None, [entry.verb.capitalize(), entry.object_name])),
            "object_kind": OBJECTS.get(entry.object_type, ""),
            "screen_buttons": [self._button_context(button, entry) for button in links(entry)],
        }
        return TemplateResponse(request, "audit/entry.html", context)

    @admin.display(description="Time")
    def when(self, obj: AuditEntry) -> SafeString | str:
        return moment(obj.at)

    @admin.display(description="Who")
    def who(self, obj: AuditEntry) -> str:
        return obj.actor_label

    @admin.display(description="What")
    def what(self, obj: AuditEntry) -> str:
        return obj.verb.capitalize()

    @admin.display(description="Object")
    def about(self, obj: AuditEntry) -> SafeString | str:
        kind = OBJECTS.get(obj.object_type)
        return format_html('{}<div class="d-muted">{}</div>', obj.object_name, kind) if kind else obj.object_name

    @admin.display(description="Changes")
    def change(self, obj: AuditEntry) -> str:
        return summary(obj.changes)


def links(entry: AuditEntry) -> Iterator[Button]:
    """Links from an entry: to the object and its history, if they have pages, and to the run."""
    kind = OBJECTS.get(entry.object_type)
    if kind and entry.object_type not in WITHOUT_PAGE:
        name = f"admin:{entry.object_type.replace('.', '_')}"
        yield Button("object", kind, "open_in_new", href=reverse(f"{name}_change", args=[entry.object_id]))
        yield Button("history", "History", "history", href=reverse(f"{name}_history", args=[entry.object_id]))
    if entry.run:
        yield Button("run", "Run", "sync", href=reverse("admin:activations_run_change", args=[entry.run]))
