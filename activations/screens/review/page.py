"""The review of an activation: what a run would do, from a dry run, before anything is sent."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from activations.models import Activation, Change, Run
from activations.runs import requests
from activations.scheduling import definition, periodic_tasks
from activations.screens.editor import words
from activations.screens.holds.panel import panel
from activations.screens.review import comparison
from activations.screens.run import page as run_page
from activations.screens.run.rows import rows
from activations.setup import writers_from_db
from core.errors import Problem
from core.web.endpoints import number
from core.web.screens import ScreenAdmin
from destinations import discovery
from destinations.registry import services
from segments.screens.record_values import may_see_values

EXAMPLES = 5
STOP_POLLING = 286
RUN = "activations.run_activation"


class ReviewPage(ScreenAdmin):
    """The review page of an activation, with the buttons that start it."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/review/", view(self.review), name=self.url_name("review")),
            path("<int:pk>/review/result/", view(self.review_result), name=self.url_name("review_result")),
            *super().get_urls(),
        ]

    def review(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The page. A POST checks again, starts the activation, or turns it on without a run."""
        activation = self._startable(request, pk)
        if request.method == "POST":
            return self._act(request, activation)
        service = services[activation.destination.service]
        context = {
            **self.admin_site.each_context(request),
            **review_context(request, activation),
            "opts": self.opts,
            "title": f"Review {activation}",
            "platform_label": service.platform.label,
            "mode": words.mode_words(activation.mode, service),
            **mapped(activation),
            "schedule": schedule_sentence(activation),
        }
        return TemplateResponse(request, "screens/activation_review.html", context)

    def review_result(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The part of the page that is refreshed until the dry run has ended."""
        context = review_context(request, self._startable(request, pk))
        run = context["run"]
        status = 200 if run and run.is_live else STOP_POLLING
        return TemplateResponse(request, "screens/activation_review_result.html", context, status=status)

    def _startable(self, request: HttpRequest, pk: int) -> Activation:
        activation = self.get_object(request, str(pk))
        if activation is None:
            raise Http404
        if not request.user.has_perm(RUN):
            raise PermissionDenied
        return activation

    def _act(self, request: HttpRequest, activation: Activation) -> HttpResponse:
        if "start" in request.POST:
            run = requests.request(activation, Run.Trigger.MANUAL)
            periodic_tasks.start(activation)
            return HttpResponseRedirect(reverse("admin:activations_run_change", args=[run.pk]))
        if "turn_on" in request.POST:
            periodic_tasks.start(activation)
            messages.success(request, turned_on(activation))
            return HttpResponseRedirect(self.url("change", activation.pk))
        return HttpResponseRedirect(dry_run_address(activation, live=True if "compare" in request.POST else None))


def turned_on(activation: Activation) -> str:
    """What happens after an activation was turned on without a run."""
    if activation.hold_first_creates and activation.mode != "update":
        return "Turned on. The first scheduled run waits for your approval if it would create records."
    return "Turned on. The next scheduled run sends the records."


def dry_run_address(activation: Activation, *, live: bool | None = None) -> str:
    """Starts a dry run, and returns the address of the review that shows it.

    Args:
        live: whether it compares with the destination; None if it does where one request looks up many records.
    """
    if live is None:
        live = services[activation.destination.service].limits.find_batch > 1
    run = requests.request(activation, Run.Trigger.MANUAL, dry_run=True, live=live)
    return f"{reverse('admin:activations_activation_review', args=[activation.pk])}?run={run.pk}"


def review_context(request: HttpRequest, activation: Activation) -> dict[str, Any]:
    """What the page shows of a dry run: the one in the address, or else the latest."""
    dry_runs = activation.runs.filter(dry_run=True, only_key="")
    wanted = number(request.GET.get("run"))
    run = dry_runs.filter(pk=wanted).first() if wanted else dry_runs.first()
    may_see = request.user.has_perm("activations.view_change")
    sees = may_see_values(request.user)
    context: dict[str, Any] = {"original": activation, "run": run, "may_see_records": may_see}
    if run is None:
        return context
    run.activation = activation
    to_show = run.changes.filter(outcome__in=["", *Change.FORESEEN]).order_by("pk")
    changes = list(to_show[:EXAMPLES]) if may_see and not run.is_live else []
    service = services[activation.destination.service]
    to_send = run.creates + run.updates if run.live else run.new + run.known
    return {
        **context,
        **run_page.progress(run, timezone.now(), sees=sees),
        **panel(run, may_see_records=False, sees=sees),
        "examples": rows(run, changes, sees=sees),
        "to_send": to_send,
        "comparing": comparison.requests_of(service, to_send),
        "pace": comparison.pace(run, service) if run.live else words.pace(run.new, run.known, activation, service),
        "records": service.record_nouns[1],
        "has_schedule": activation.schedules.exists(),
    }


def mapped(activation: Activation) -> dict[str, Any]:
    """The match and the field mappings in words, and other activations that write the same attributes.

    Attributes have the labels that they had when they were last read.
    """
    try:
        last = discovery.cached(activation.destination)
    except Problem:
        last = None
    labels = {field.name: field.label for field in last.fields} if last else {}
    match = labels.get(activation.match_field) or activation.match_field
    return {
        "match": f"{activation.match_column} → {match}",
        "mapped": [words.mapping_words(mapping, labels) for mapping in activation.mappings.all()],
        "shared": [(each, each.words(labels)) for each in writers_from_db.shared(activation)],
    }


def schedule_sentence(activation: Activation) -> str:
    """When the activation's schedules start it, in words."""
    sentences = [f"{definition.words(schedule)}." for schedule in activation.schedules.all()]
    return " ".join(sentences) or "No schedule: you start it yourself."
