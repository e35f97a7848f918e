"""Admin screens of sources: the form of each engine, the connection test, and the table browser."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from core.errors import Problem
from core.web.deletion import ExplainedDeletion
from core.web.forms.parameter_view import shown
from core.web.screens import Button, ScreenAdmin, readable_secrets
from segments.models import Source
from segments.registry import engines
from segments.screens import connect
from segments.screens.lists.source_list import SourceList
from segments.screens.record_values import may_see_values
from segments.screens.source_forms import TEST, SourceForm, source_form
from segments.sources import catalog, discovery, file_preview

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet
    from django.utils.safestring import SafeString

    from segments.contract import Engine

TABLES = 100
"""How many tables are listed on one page."""


class EngineFilter(admin.SimpleListFilter):
    title = "source type"
    parameter_name = "engine"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(slug, engine.label) for slug, engine in engines.all.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Source]) -> QuerySet[Source]:
        return queryset.filter(engine=self.value()) if self.value() else queryset


@admin.register(Source)
class SourceAdmin(ExplainedDeletion, SourceList, ScreenAdmin):
    deletion_note = "The database or file itself is not touched."
    list_filter = [EngineFilter, "health"]
    search_fields = ["name"]
    stay_after_adding = True
    button_permissions = {"browse": "segments.view_source", "model": "segments.add_datamodel"}
    empty_title = "No sources yet"
    empty_text = "A source is where your data is: a database or a file. Sources are only read, never changed."

    class Media:
        js = ["dinmo/source.js"]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        context = connect.context(request)
        if request.GET.get("engine") not in engines.all:
            shell = {**self.admin_site.each_context(request), "opts": self.opts, "title": "Connect a source"}
            return connect.choice(request, {**shell, **context, **(extra_context or {})})
        engine = engines[request.GET["engine"]]
        return super().add_view(
            request,
            form_url,
            {"title": f"Connect {engine.label}", "engine": engine, **context, **(extra_context or {})},
        )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.tables)
        return [path("<int:pk>/tables/", view, name=self.url_name("tables")), *super().get_urls()]

    def tables(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The tables and views of the source, with their columns. First rows are loaded when a table is expanded."""
        source = self.get_object(request, str(pk))
        if source is None:
            raise Http404
        if not self.has_view_permission(request, source):
            raise PermissionDenied
        may_change = self.has_change_permission(request, source)
        if request.method == "POST":
            if not may_change:
                raise PermissionDenied
            self.refresh(request, source)
            return HttpResponseRedirect(request.get_full_path())
        query, page = request.GET.get("q", ""), request.GET.get("page")
        return TemplateResponse(
            request,
            "screens/tables.html",
            {
                **self.shell(request, source),
                "words": query,
                "may_refresh": may_change,
                "may_see_values": may_see_values(request.user),
                "may_add_model": request.user.has_perm("segments.add_datamodel"),
                **self.listed(request, source, query, page),
            },
        )

    def shell(self, request: HttpRequest, source: Source) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Tables of {source}",
            "source": source,
        }

    def listed(self, request: HttpRequest, source: Source, query: str, number: str | None) -> dict[str, Any]:
        try:
            may_store = self.has_change_permission(request, source)
            cached = catalog.get(source, timezone.now(), store=may_store)
        except Problem as problem:
            return {"problem": problem.message}
        page = Paginator(catalog.search(cached, query), TABLES).get_page(number)
        return {
            "catalog": cached,
            "page": page,
            "tables": [_with_lines(table) for table in page],
            "all": len(cached.tables),
        }

    def refresh(self, request: HttpRequest, source: Source) -> None:
        try:
            refreshed = catalog.refresh(source, timezone.now())
        except Problem as problem:
            messages.error(request, problem.message)
        else:
            count = len(refreshed.tables)
            messages.success(request, f"Found {count:,} {'table' if count == 1 else 'tables'}.")

    def engine_of(self, request: HttpRequest, obj: Source | None) -> Engine:
        return engines[obj.engine if obj else request.GET.get("engine", "")]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Source]:
        return super().get_queryset(request).defer("secrets")

    def get_form(
        self, request: HttpRequest, obj: Source | None = None, change: bool = False, **kwargs: Any
    ) -> type[SourceForm]:
        readable_secrets(request, obj)
        kwargs["form"] = source_form(self.engine_of(request, obj), obj)
        return super().get_form(request, obj, change, **kwargs)  # type: ignore[return-value, unused-ignore]

    def get_fieldsets(self, request: HttpRequest, obj: Source | None = None) -> list[Any]:
        engine = self.engine_of(request, obj)
        if obj and not self.has_change_permission(request, obj):
            return [(None, {"fields": ["name", "engine_label", "settings", "timezone"]})]
        first, more = connect.inputs(engine)
        settings = (engine.label, {"fields": first})
        options = {"fields": [*([] if obj else ["name"]), *more, "timezone"], "classes": ["collapse"]}
        named = [(None, {"fields": ["name", "engine_label"]})] if obj else []
        return [*named, settings, ("More options", {**options, "description": engine.note})]

    def get_readonly_fields(self, request: HttpRequest, obj: Source | None = None) -> list[str]:
        return ["engine_label", "settings"] if obj else []

    @admin.display(description="Settings")
    def settings(self, obj: Source) -> SafeString:
        return shown(engines[obj.engine].parameters, obj)

    def save_model(self, request: HttpRequest, obj: Source, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.settings_changed:
            catalog.forget(obj)
            if self.engine_of(request, obj).endings:
                file_preview.adopt_types(obj)
        if form.probe:
            obj.record_health(timezone.now(), form.probe.problem, form.probe.message)
            self.show_result(request, form.probe)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        if guide := connect.guide_of(request):
            return guide.connected(obj)
        answer = super().response_add(request, obj, post_url_continue)
        return HttpResponseRedirect(self.url("change", obj.pk)) if TEST in request.POST else answer

    def response_change(self, request: HttpRequest, obj: Source) -> HttpResponse:
        if guide := connect.guide_of(request):
            return guide.connected(obj)
        answer = super().response_change(request, obj)
        return HttpResponseRedirect(self.url("change", obj.pk)) if TEST in request.POST else answer

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        submit = {"action_name": TEST, "attrs": {"name": TEST}, "description": "Save & test", "icon": "network_check"}
        if self.has_change_permission(request, kwargs.get("obj")):
            context["actions_submit_line"] = [submit]
        return super().render_change_form(request, context, *args, **kwargs)

    def show_result(self, request: HttpRequest, probe: discovery.Probe) -> None:
        """Shows a message with the stages of a test, one per line, or in one if it leads on to a next step."""
        if connect.guide_of(request) and not probe.problem:
            messages.success(request, f"The source works. {probe.message}")
            return
        stages = [("✓", stage[:1].upper() + stage[1:]) for stage in probe.done]
        if probe.problem:
            stages.append(("✗", f"{probe.failed}: {probe.problem.message}"))
        summary = "The source test failed." if probe.problem else "The source works."
        message = format_html("{}{}", summary, format_html_join("", "<br>{} {}", stages))
        (messages.error if probe.problem else messages.success)(request, message)

    def buttons(self, request: HttpRequest, obj: Source) -> Iterable[Button]:
        yield Button("test", "Test connection", "network_check", primary=obj.health != obj.State.OK)
        add = f"{reverse('admin:segments_datamodel_add')}?source={obj.pk}"
        yield Button("browse", "Browse tables", "table_view", href=self.url("tables", obj.pk))
        yield Button("model", "Add a model", "add", primary=obj.health == obj.State.OK, href=add)

    def panel(self, request: HttpRequest, obj: Source) -> dict[str, Any]:
        return {"screen_panel": "screens/health.html"}

    def do_test(self, request: HttpRequest, obj: Source) -> None:
        probe = discovery.probe(obj)
        obj.record_health(timezone.now(), probe.problem, probe.message)
        self.show_result(request, probe)

    @admin.display(description="Type", ordering="engine")
    def engine_label(self, obj: Source) -> str:
        return engines.all[obj.engine].label if obj.engine in engines.all else obj.engine


def _with_lines(table: dict[str, Any]) -> dict[str, Any]:
    """Adds the columns as HTML table rows, because a template would take seconds for ten thousand columns."""
    return {**table, "lines": mark_safe("".join(map(_line, table["columns"])))}  # noqa: S308


def _line(column: dict[str, Any]) -> str:
    # Without format_html, which takes ten times as long.
    name, kind, native = (html.escape(str(column[part])) for part in ("name", "type", "native"))
    return f"<tr><td>{name}</td><td>{kind}</td><td>{native}</td><td>{'yes' if column['nullable'] else 'no'}</td></tr>"
