"""Screens of sources, models and segments."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import TabularInline

from core import parameter_form
from core.screens import HEALTH_TONES, Button, Choice, ScreenAdmin, pill, readable_secrets
from segments import discovery
from segments.builder import in_words
from segments.contract import Engine
from segments.forms import TEST, ModelForm, SegmentForm, SourceForm, source_form
from segments.models import Column, DataModel, Segment, Source
from segments.registry import engines


class EngineFilter(admin.SimpleListFilter):
    title = "kind of source"
    parameter_name = "engine"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(slug, engine.label) for slug, engine in engines.all.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Source]) -> QuerySet[Source]:
        return queryset.filter(engine=self.value()) if self.value() else queryset


@admin.register(Source)
class SourceAdmin(ScreenAdmin):
    list_display = ["name", "engine_label", "health_pill", "health_message", "health_at"]
    list_filter = [EngineFilter, "health"]
    search_fields = ["name"]
    stay_after_adding = True
    empty_title = "No source yet"
    empty_text = "A source is where your data is: a database, or a file. It is only ever read, never changed."

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.GET.get("engine") not in engines.all:
            choices = [Choice(slug, engine.label) for slug, engine in engines.all.items()]
            return self.choose(request, "Where is your data?", "engine", choices)
        return super().add_view(request, form_url, {**(extra_context or {}), "title": f"Add {engines[request.GET['engine']].label}"})

    def engine_of(self, request: HttpRequest, obj: Source | None) -> Engine:
        return engines[obj.engine if obj else request.GET.get("engine", "")]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Source]:
        return super().get_queryset(request).defer("secrets")

    def get_form(self, request: HttpRequest, obj: Source | None = None, change: bool = False, **kwargs: Any) -> type[SourceForm]:
        readable_secrets(request, obj)
        kwargs["form"] = source_form(self.engine_of(request, obj), obj)
        return super().get_form(request, obj, change, **kwargs)  # type: ignore[return-value, unused-ignore]

    def get_fieldsets(self, request: HttpRequest, obj: Source | None = None) -> list[Any]:
        engine = self.engine_of(request, obj)
        inputs = [parameter_form.PREFIX + parameter.name for parameter in engine.parameters]
        return [
            (None, {"fields": ["name", *(["engine_label"] if obj else [])]}),
            (engine.label, {"fields": inputs}),
            ("More", {"fields": ["timezone"]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Source | None = None) -> list[str]:
        return ["engine_label"] if obj else []

    def save_model(self, request: HttpRequest, obj: Source, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.probe:
            obj.record_health(timezone.now(), form.probe.problem, form.probe.message)
            self.show(request, form.probe)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        answer = super().response_add(request, obj, post_url_continue)
        return HttpResponseRedirect(self.url("change", obj.pk)) if TEST in request.POST else answer

    def response_change(self, request: HttpRequest, obj: Source) -> HttpResponse:
        answer = super().response_change(request, obj)
        return HttpResponseRedirect(self.url("change", obj.pk)) if TEST in request.POST else answer

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        submit = {"action_name": TEST, "attrs": {"name": TEST}, "description": "Save & test", "icon": "network_check"}
        return super().render_change_form(request, {**context, "actions_submit_line": [submit]}, *args, **kwargs)

    def show(self, request: HttpRequest, probe: discovery.Probe) -> None:
        """The stages of a test, one below the other."""
        stages = [("✓", words[:1].upper() + words[1:]) for words in probe.done]
        if probe.problem:
            stages.append(("✗", f"{probe.failed}: {probe.problem.message}"))
        first = "The source does not work." if probe.problem else "The source works."
        shown = format_html("{}{}", first, format_html_join("", "<br>{} {}", stages))
        (messages.error if probe.problem else messages.success)(request, shown)

    def buttons(self, request: HttpRequest, obj: Source) -> Iterable[Button]:
        yield Button("test", "Test connection", "network_check", primary=obj.health != obj.State.OK)
        add = f"{reverse('admin:segments_datamodel_add')}?source={obj.pk}"
        yield Button("model", "Add a model", "add", primary=obj.health == obj.State.OK, href=add)

    def panel(self, request: HttpRequest, obj: Source) -> dict[str, Any]:
        return {"screen_panel": "screens/health.html"}

    def do_test(self, request: HttpRequest, obj: Source) -> None:
        probe = discovery.probe(obj)
        obj.record_health(timezone.now(), probe.problem, probe.message)
        self.show(request, probe)

    @admin.display(description="Kind", ordering="engine")
    def engine_label(self, obj: Source) -> str:
        return engines.all[obj.engine].label if obj.engine in engines.all else obj.engine

    @admin.display(description="State", ordering="health")
    def health_pill(self, obj: Source) -> SafeString:
        return pill(obj.get_health_display(), HEALTH_TONES[obj.health])


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
