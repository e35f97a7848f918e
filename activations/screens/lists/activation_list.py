"""The list of activations: state, last and next run of all its rows, and actions on many with a confirmation."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from activations.alerts.state import PAUSED_BY_SYSTEM, attach, look_at, states
from activations.models import Activation, Run
from activations.pauses import act as pauses
from activations.runs import requests
from activations.screens.lists import bulk
from activations.screens.lists.filters import ShownFilter
from activations.screens.presentation import run_pill, state_pill
from core.web.formats import ago
from core.web.logos import logo
from core.web.screens import pill

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.models import QuerySet
    from django.utils.safestring import SafeString
    from unfold.admin import ModelAdmin as _ModelAdmin
else:
    # A mixin: the class that it is added to is a ModelAdmin.
    _ModelAdmin = object


class ActivationList(_ModelAdmin):
    """The columns, filters and actions of the list of activations."""

    list_display = ["name", "state_column", "data_name", "destination_name", "last_run", "next_run_at"]
    list_filter = [ShownFilter, "destination"]
    search_fields = ["name", "segment__name", "model__name", "destination__name"]
    actions = ["run_selected", "pause_selected", "resume_selected"]
    empty_title = "No activations yet"
    empty_text = "An activation sends the records of a segment or model to a destination, manually or on a schedule."

    def has_run_permission(self, request: HttpRequest) -> bool:
        """For the actions."""
        return request.user.has_perm("activations.run_activation")

    def prepare_rows(self, request: HttpRequest, rows: list[Any]) -> None:
        """Attaches the state and the last run to each row: a fixed number of queries for any number of rows."""
        attach(rows)
        known, open_runs = look_at(rows, timezone.now()), runs_in(rows, Run.OPEN)
        for row in rows:
            row.shown_state = known.states[row.pk]
            row.shown_run = open_runs.get(row.pk) or known.latest.get(row.pk)

    @admin.display(description="State")
    def state_column(self, obj: Any) -> SafeString:
        if obj.is_draft:
            return pill("Draft", "calm")
        state = obj.shown_state
        causes = () if state.slug == "paused" else state.causes
        lines = format_html_join("", '<div class="d-muted d-cause" title="{}">{}</div>', [(c, c) for c in causes])
        return format_html('<div class="d-state">{}{}</div>', state_pill(state), lines)

    @admin.display(description="Sends", ordering="model__name")
    def data_name(self, obj: Activation) -> str:
        return str(obj.rows)

    @admin.display(description="To", ordering="destination__name")
    def destination_name(self, obj: Activation) -> SafeString:
        drawing = logo(obj.destination.service, 20, "")
        return format_html('<span class="d-named">{}<span>{}</span></span>', drawing, obj.destination)

    @admin.display(description="Last run")
    def last_run(self, obj: Any) -> SafeString | str:
        run: Run | None = obj.shown_run
        if run is None:
            return "Never"
        url = reverse("admin:activations_run_change", args=[run.pk])
        when = ago(run.finished_at or run.created_at)
        return format_html(
            '<div class="d-lastrun"><a href="{}">{}</a><span class="d-muted">{}</span></div>', url, run_pill(run), when
        )

    @admin.display(description="Next run")
    def next_run_at(self, obj: Any) -> Any:
        state = obj.shown_state
        if obj.is_draft or not state.next_run:
            return "Manual only" if state.slug in ("on", "failing") and not obj.is_draft else "\N{EN DASH}"
        return ago(state.next_run)

    @admin.action(description="Run now", permissions=["run"])
    def run_selected(self, request: HttpRequest, queryset: QuerySet[Activation]) -> HttpResponse:
        return self.confirmed(request, queryset, bulk.RUN)

    @admin.action(description="Pause", permissions=["run"])
    def pause_selected(self, request: HttpRequest, queryset: QuerySet[Activation]) -> HttpResponse:
        return self.confirmed(request, queryset, bulk.PAUSE)

    @admin.action(description="Resume", permissions=["run"])
    def resume_selected(self, request: HttpRequest, queryset: QuerySet[Activation]) -> HttpResponse:
        return self.confirmed(request, queryset, bulk.RESUME)

    def confirmed(self, request: HttpRequest, queryset: QuerySet[Activation], action: bulk.Action) -> HttpResponse:
        """The page that says what will happen; after a person has agreed, what has happened."""
        rows = {row.pk: row for row in queryset}
        found = bulk.effects(action, chosen(list(rows.values())))
        if request.POST.get("confirmed"):
            acting = [rows[effect.chosen.pk] for effect in found if effect.acts]
            for row in acting:
                act(row, action)
            messages.success(request, f"{action.button}: {len(acting):,} of {len(rows):,} selected activations.")
            return HttpResponseRedirect(request.get_full_path())
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{action.button}?",
            "action": action,
            "sentences": bulk.sentences(action, found),
            "effects": found,
            "acts": any(effect.acts for effect in found),
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "screens/bulk.html", context)


def chosen(rows: list[Activation]) -> list[bulk.Chosen]:
    """What `bulk` decides from, for the selected rows."""
    found, open_runs = states(rows, timezone.now()), runs_in(rows, Run.OPEN)
    return [
        bulk.Chosen(
            pk=row.pk,
            name=row.name,
            paused=row.paused,
            is_live=row.pk in open_runs and open_runs[row.pk].is_live,
            is_held=row.pk in open_runs and not open_runs[row.pk].is_live,
            is_draft=row.is_draft,
            cause=" ".join(found[row.pk].causes) if found[row.pk].slug == PAUSED_BY_SYSTEM else "",
        )
        for row in rows
    ]


def act(row: Activation, action: bulk.Action) -> None:
    """Runs, pauses or resumes one activation."""
    if action == bulk.RUN:
        with suppress(requests.Held):
            requests.request(row, Run.Trigger.MANUAL)
        return
    if action == bulk.RESUME:
        pauses.resume_by_person(row, timezone.now())
        return
    pauses.pause_by_person(row)


def runs_in(rows: list[Activation], states: Collection[str]) -> dict[int, Run]:
    """The run of each activation in one of these states, by the activation's ID. At most one run is open."""
    runs = Run.objects.filter(activation__in=rows, state__in=states, dry_run=False).select_related("activation")
    return {run.activation_id: run for run in runs}
