"""The admin pages of runs: the list, the page of one run, and the download of what was not sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from activations.models import Run
from activations.runs import drift_checks, requests
from activations.screens.attached import listing as attached
from activations.screens.holds.buttons import Decisions, decision_buttons
from activations.screens.holds.panel import panel
from activations.screens.review import comparison
from activations.screens.run import download, page, record_list
from activations.screens.run.run_list import RunList, started_by
from core.audit import Verb, announce
from core.web.screens import Button, ScreenAdmin
from segments.screens.record_values import may_see_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.models import QuerySet

STOP_POLLING = 286
"""The HTTP status at which htmx stops polling."""
SEE_RECORDS = "activations.view_change"
RUN, APPROVE = "activations.run_activation", "activations.approve_run"


class ReadOnlyAdmin(ScreenAdmin):
    """For rows that only runs write."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Run)
class RunAdmin(Decisions, RunList, ReadOnlyAdmin):
    """A run's page says in one sentence what happened, then why records were not accepted, then lists all of them."""

    button_permissions = {
        **dict.fromkeys(("cancel", "again", "retry"), RUN),
        **dict.fromkeys(("approve", "discard"), APPROVE),
    }

    def get_urls(self) -> list[URLPattern]:
        pages = {
            "progress": self.progress_view,
            "download": self.download_view,
            "comparison": self.comparison_view,
            "attached": self.attached_view,
        }
        own = [
            path(f"<path:object_id>/{name}/", self.admin_site.admin_view(view), name=self.url_name(name))
            for name, view in pages.items()
        ]
        return [*own, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        related = ("activation__destination__connection", "activation__segment__model__source")
        queryset: QuerySet[Run] = super().get_queryset(request)
        return queryset.select_related(*related, "activation__model__source")

    def buttons(self, request: HttpRequest, obj: Run) -> Iterable[Button]:
        if obj.is_live and not obj.cancel_requested:
            yield Button(
                "cancel",
                "Cancel run",
                "cancel",
                danger=True,
                confirm="Cancel this run? Records that the destination has accepted stay there.",
            )
        if obj.state == Run.State.HELD:
            yield from decision_buttons(obj)
            return
        if not obj.is_live and obj.only_fields is None:
            yield Button("again", "Test again" if obj.only_key else "Run again", "replay", primary=True)
        if not obj.is_live and not obj.dry_run and record_list.has_failures(obj):
            yield Button("retry", "Retry now", "autorenew")

    def links(self, request: HttpRequest, obj: Run) -> Iterable[Button]:
        """The buttons that only lead somewhere, for everybody who may see the run."""
        exceptions = obj.rejected + obj.invalid + obj.unknown + obj.not_sent + obj.skipped + obj.kept
        if obj.live and not obj.is_live and obj.planned and request.user.has_perm(SEE_RECORDS):
            yield Button("download", "Download the comparison", "download", href=self.url("comparison", obj.pk))
        elif not obj.is_live and exceptions and request.user.has_perm(SEE_RECORDS):
            label = "Download what can't be sent" if obj.dry_run else "Download what was not sent"
            yield Button("download", label, "download", href=self.url("download", obj.pk))
        if obj.kind == Run.Kind.DRIFT or obj.only_fields is not None:
            page = reverse("admin:activations_activation_drift", args=[obj.activation_id])
            yield Button("drift", "Drift", "difference", href=page)
        if obj.made_visible + obj.still_hidden and request.user.has_perm(SEE_RECORDS):
            yield Button("attached", "Download what was attached", "download", href=self.url("attached", obj.pk))
        yield Button("history", "History", "history", href=self.url("history", obj.pk))
        href = reverse("admin:activations_activation_change", args=[obj.activation_id])
        yield Button("activation", "Activation", "sync", href=href)

    def do_cancel(self, request: HttpRequest, obj: Run) -> None:
        requests.cancel(obj)
        messages.success(request, "The run ends within seconds. What was accepted stays accepted.")

    def do_again(self, request: HttpRequest, obj: Run) -> HttpResponse:
        if obj.kind == Run.Kind.DRIFT:
            checked = drift_checks.check(obj.activation, Run.Trigger.MANUAL)
            return HttpResponseRedirect(self.url("change", checked.pk))
        run = requests.request(
            obj.activation,
            Run.Trigger.MANUAL,
            full=obj.reason == requests.BY_HAND,
            dry_run=obj.dry_run,
            live=obj.live,
            only_key=obj.only_key,
        )
        return HttpResponseRedirect(self.url("change", run.pk))

    def do_retry(self, request: HttpRequest, obj: Run) -> HttpResponse | None:
        retried = requests.retry_now(obj)
        if retried.run is None:
            messages.info(request, "Nothing is left to retry: what this run could not send has been accepted since.")
            return None
        return HttpResponseRedirect(self.url("change", retried.run.pk))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of a run: its sentence, its causes, and its records."""
        run = self.get_object(request, object_id)
        if not self.has_view_permission(request, run):
            raise PermissionDenied
        if run is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        context = {**self.admin_site.each_context(request), **self._context(request, run)}
        buttons = [*self.pressable(request, run), *self.links(request, run)]
        context["screen_buttons"] = [self._button_context(button, run) for button in buttons]
        context.update(opts=self.opts, original=run, title=str(run))
        return TemplateResponse(request, "screens/run.html", context)

    def progress_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The parts of the page that are refreshed while the run is live: counts and records, of the same moment."""
        run = self.get_object(request, object_id)
        if not self.has_view_permission(request, run):
            raise PermissionDenied
        if run is None:
            return HttpResponse(status=STOP_POLLING)
        response = render(request, "screens/run_live.html", {**self._context(request, run), "original": run})
        if not run.is_live:
            # The buttons have to be loaded again.
            response.status_code = STOP_POLLING
            response.headers["HX-Refresh"] = "true"
        return response

    def _context(self, request: HttpRequest, run: Run) -> dict[str, Any]:
        # The records are read first: they leave `run` as it was at the same moment.
        sees = may_see_values(request.user)
        listed = page.records(request.GET, run, sees=sees)
        may_see_records = request.user.has_perm(SEE_RECORDS)
        return {
            **listed,
            **page.progress(run, timezone.now(), sees=sees),
            "progress_url": self.url("progress", run.pk),
            "query": request.GET.urlencode(),
            "started_by": started_by(run),
            "may_see_records": may_see_records,
            **(attached.page(run, request.GET, sees=sees) if may_see_records else {}),
            **panel(run, may_see_records=may_see_records, sees=sees),
        }

    def download_view(self, request: HttpRequest, object_id: str) -> StreamingHttpResponse:
        """What was not accepted, with the reason of each record, as CSV."""
        run = self._with_records(request, object_id)
        return _file(f"run-{run.number}-not-sent.csv", download.lines(run, sees=may_see_values(request.user)))

    def comparison_view(self, request: HttpRequest, object_id: str) -> StreamingHttpResponse:
        """What a live dry run would do with each record, field by field, as CSV."""
        run = self._with_records(request, object_id)
        return _file(f"dry-run-{run.pk}.csv", comparison.lines(run, sees=may_see_values(request.user)))

    def attached_view(self, request: HttpRequest, object_id: str) -> StreamingHttpResponse:
        """What the run did about hidden records, as CSV."""
        run = self._with_records(request, object_id)
        return _file(f"run-{run.number}-attached.csv", attached.lines(run, sees=may_see_values(request.user)))

    def _with_records(self, request: HttpRequest, object_id: str) -> Run:
        """The run. Raises PermissionDenied unless the person may see its records. The log has it."""
        run: Run | None = self.get_object(request, object_id)
        if run is None:
            raise Http404
        if not self.has_view_permission(request, run) or not request.user.has_perm(SEE_RECORDS):
            raise PermissionDenied
        announce(Verb.EXPORTED, run, {"Records of run": ("", f"{run.number}")}, run=run.pk)
        return run


def _file(name: str, lines: Iterator[str]) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)
