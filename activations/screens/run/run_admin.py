"""The admin pages of runs and of their changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from unfold.paginator import InfinitePaginator

from activations.alerts.rules import closed_by, warnings_of
from activations.models import Change, Run
from activations.runs import requests
from activations.screens import presentation
from activations.screens.run import record_list
from core.web.screens import Button, ScreenAdmin
from destinations.registry import platforms, services

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.utils.safestring import SafeString

STOP_POLLING = 286
"""The HTTP status at which htmx stops polling."""
CHANGES_PER_PAGE = 50
MOST_READS = 3


class ReadOnlyAdmin(ScreenAdmin):
    """For rows that only runs write."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = ["name", "state_pill", "trigger", "kind_and_reason", "read", "sent", "not_taken", "began", "took"]
    list_filter = ["state", "activation", "trigger", "dry_run"]
    search_fields = ["activation__name", "error_message"]
    list_select_related = ["activation"]
    date_hierarchy = "created_at"
    empty_title = "No runs yet"
    empty_text = "Click “Run now” on an activation, or give it a schedule."

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.progress_view)
        return [path("<path:object_id>/progress/", view, name=self.url_name("progress")), *super().get_urls()]

    def may_press(self, request: HttpRequest, obj: Run) -> bool:
        return request.user.has_perm("activations.change_activation")

    def buttons(self, request: HttpRequest, obj: Run) -> Iterable[Button]:
        if obj.is_live and not obj.cancel_requested:
            yield Button(
                "cancel",
                "Cancel run",
                "cancel",
                danger=True,
                confirm="Cancel this run? Records that the destination has accepted stay there.",
            )
        if not obj.is_live:
            yield Button("again", "Run again", "replay", primary=True)
        yield Button(
            "activation",
            "Activation",
            "sync",
            href=reverse("admin:activations_activation_change", args=[obj.activation_id]),
        )

    def do_cancel(self, request: HttpRequest, obj: Run) -> None:
        requests.cancel(obj)
        messages.success(request, "The run ends within seconds. What was accepted stays accepted.")

    def do_again(self, request: HttpRequest, obj: Run) -> HttpResponse:
        run = requests.request(
            obj.activation, Run.Trigger.MANUAL, full=obj.reason == requests.BY_HAND, dry_run=obj.dry_run
        )
        return HttpResponseRedirect(self.url("change", run.pk))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of a run: its counts, its problems, and its changes."""
        run = self.get_object(request, object_id)
        if run is None or not self.has_view_permission(request, run):
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        changes = changes_context(request, run)
        buttons = list(self.buttons(request, run)) if self.may_press(request, run) else []
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": run,
            "title": str(run),
            "screen_buttons": [self._button_context(button, run) for button in buttons],
            "platform": platform_label(run),
            **changes,
            **self.progress_context(run),
        }
        return TemplateResponse(request, "screens/run.html", context)

    def progress_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The parts of the page that are refreshed while the run is live: counts and records, of the same moment."""
        run = self.get_object(request, object_id)
        if run is None or not self.has_view_permission(request, run):
            return HttpResponse(status=STOP_POLLING)
        changes = changes_context(request, run)
        context = {"original": run, "platform": platform_label(run), **changes, **self.progress_context(run)}
        response = render(request, "screens/run_live.html", context)
        if not run.is_live:
            # The buttons and the table of changes have to be loaded again.
            response.status_code = STOP_POLLING
            response.headers["HX-Refresh"] = "true"
        return response

    def progress_context(self, run: Run) -> dict[str, Any]:
        return {
            "run": run,
            "state_pill": presentation.run_pill(run),
            "counts": presentation.counts(run),
            "hidden_note": presentation.hidden_note(services[run.activation.destination.service], run.hidden),
            "percent": presentation.progress_percent(run),
            "duration": presentation.duration(run, timezone.now()),
            "run_warnings": warnings_of(run),
            "closed_warnings": closed_by(run),
            "progress_url": self.url("progress", run.pk),
        }

    @admin.display(description="Run", ordering="number")
    def name(self, obj: Run) -> str:
        return f"{obj}{' (dry)' if obj.dry_run else ''}"

    @admin.display(description="State", ordering="state")
    def state_pill(self, obj: Run) -> SafeString:
        return presentation.run_pill(obj)

    @admin.display(description="Kind", ordering="kind")
    def kind_and_reason(self, obj: Run) -> str:
        return f"{obj.get_kind_display()}: {obj.reason}" if obj.reason else obj.get_kind_display()

    @admin.display(description="Rows", ordering="rows")
    def read(self, obj: Run) -> int:
        return obj.rows

    @admin.display(description="Accepted", ordering="accepted")
    def sent(self, obj: Run) -> str:
        return f"{obj.accepted} ({obj.created} created)" if obj.created else str(obj.accepted)

    @admin.display(description="Not accepted")
    def not_taken(self, obj: Run) -> str:
        parts = [
            ("rejected", obj.rejected),
            ("invalid", obj.invalid),
            ("skipped", obj.skipped),
            ("unknown", obj.unknown),
        ]
        return ", ".join(f"{value} {name}" for name, value in parts if value) or "-"

    @admin.display(description="Started", ordering="created_at")
    def began(self, obj: Run) -> Any:
        return obj.started_at or obj.created_at

    @admin.display(description="Duration")
    def took(self, obj: Run) -> str:
        return presentation.duration(obj, timezone.now())


def platform_label(run: Run) -> str:
    """The name of the platform that the run writes to."""
    return platforms[run.activation.destination.connection.platform].label


def changes_context(request: HttpRequest, run: Run) -> dict[str, Any]:
    """One page of the run's changes, searched and filtered by the query string, at one moment with the run's counts.

    A worker changes both in one commit. If it does so between two queries, they are repeated; `run` is read again.
    """
    for _ in range(MOST_READS):
        before = run.counts()
        context = _changes(request, run)
        run.refresh_from_db()
        if run.counts() == before:
            break
    return context


def _changes(request: HttpRequest, run: Run) -> dict[str, Any]:
    key, outcome = request.GET.get("key", "").strip(), request.GET.get("outcome", "")
    page = Paginator(record_list.search(run, key, outcome), CHANGES_PER_PAGE).get_page(request.GET.get("page"))
    changes = record_list.as_changes(run, outcome, page.object_list)
    rows = [(change, presentation.outcome_pill(change), presentation.sent_values(change)) for change in changes]
    packed = record_list.count_packed(run, key, outcome)
    return {
        "page": page, "changes": rows, "key": key, "outcome": outcome, "outcomes": record_list.CHOICES,
        "packed": packed, "total": page.paginator.count + packed,
        "earlier": record_list.count_earlier(run), "earlier_choice": record_list.EARLIER,
        "query": request.GET.urlencode(),
    }  # fmt: skip


@admin.register(Change)
class ChangeAdmin(ReadOnlyAdmin):
    """The changes of all runs, to find out what happened to a record."""

    list_display = ["key", "outcome_pill", "run_link", "fields_sent", "message", "settled_at"]
    list_filter = ["outcome", "is_new", "created", "run__activation"]
    search_fields = ["key__startswith"]
    search_help_text = "Search by the beginning of a record's key."
    list_select_related = ["run__activation"]
    show_full_result_count = False
    paginator = InfinitePaginator
    ordering = ["-pk"]
    fields = [
        "key", "outcome_pill", "run_link", "fields_sent", "match_value", "remote_id", "code", "message", "field",
        "request_id", "attempts", "first_attempt_at", "settled_at",
    ]  # fmt: skip
    readonly_fields = fields
    empty_title = "No records yet"
    empty_text = "Each run stores what it sent for every record, and how the destination answered."

    @admin.display(description="Outcome", ordering="outcome")
    def outcome_pill(self, obj: Change) -> SafeString:
        return presentation.outcome_pill(obj)

    @admin.display(description="Run")
    def run_link(self, obj: Change) -> SafeString:
        return format_html(
            '<a class="d-link" href="{}">{}</a>', reverse("admin:activations_run_change", args=[obj.run_id]), obj.run
        )

    @admin.display(description="Fields")
    def fields_sent(self, obj: Change) -> SafeString:
        return format_html_join(
            "", "<div><b>{}</b>: {}</div>", [(sent.name, sent.value) for sent in presentation.sent_values(obj)]
        )
