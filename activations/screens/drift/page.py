"""The page on which drift of an activation is found, restored or left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from activations.delivery.drift import attribution
from activations.models import Activation, FieldMapping, Run
from activations.runs import drift_checks, restores
from activations.scheduling import definition
from activations.screens.drift import report
from activations.screens.plain_values import in_words
from activations.screens.presentation import run_pill
from activations.screens.review.page import RUN
from core.errors import Problem
from core.web.endpoints import number
from core.web.screens import ScreenAdmin
from destinations.registry import services
from segments.screens.record_values import may_see_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest

    from activations.screens.drift.report import FieldDrift

RESTORED = FieldMapping.Policy.RESTORE


class DriftPage(ScreenAdmin):
    """What the destination holds differently than it was sent, by attribute, with examples and what to do."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.drift)
        return [path("<int:pk>/drift/", view, name=self.url_name("drift")), *super().get_urls()]

    def drift(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The page. A POST does what its `action` says: check, restore or leave, of a `field` and a `record`."""
        found = Activation.objects.select_related("destination__connection").filter(pk=pk)
        activation = found.first()
        if activation is None:
            raise Http404
        may_decide = request.user.has_perm(RUN)
        if not self.has_view_permission(request, activation) or (request.method == "POST" and not may_decide):
            raise PermissionDenied
        if request.method != "POST":
            return self._drift_page(request, activation, may_decide)
        try:
            return self._act_on_drift(request, activation)
        except Problem as problem:
            messages.error(request, problem.message)
            return HttpResponseRedirect(self.url("drift", pk))

    def _act_on_drift(self, request: HttpRequest, activation: Activation) -> HttpResponse:
        action = request.POST.get("action", "")
        if action == "check":
            return _to(drift_checks.check(activation, Run.Trigger.MANUAL))
        check = drift_checks.latest(activation)
        if check is None:
            raise Http404
        record = number(request.POST["record"]) if request.POST.get("record") else None
        chosen = restores.selected(check, request.POST.get("field", ""), record)
        if action == "restore":
            return _to(restores.restore(chosen, check, Run.Trigger.MANUAL))
        left = restores.leave(chosen, check)
        values = "1 value as it is" if left == 1 else f"{left:,} values as they are"
        messages.success(request, f"Left {values}. What changes again is reported again.")
        return HttpResponseRedirect(self.url("drift", activation.pk))

    def _drift_page(self, request: HttpRequest, activation: Activation, may_decide: bool) -> HttpResponse:
        check, service = drift_checks.latest(activation), services[activation.destination.service]
        live = drift_checks.checks(activation).filter(state__in=Run.LIVE).first()
        sees = may_see_values(request.user)
        fields = report.of(check, sees=sees) if check else []
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": activation,
            "title": f"Drift of {activation}",
            "check": check,
            "live": live,
            "failed": _failed(activation, check),
            "pill": run_pill(check) if check else "",
            "can_compare": service.compares,
            "may_decide": may_decide,
            "can_see": request.user.has_perm("activations.view_change"),
            "vendor": service.platform.label,
            "one": service.record_nouns[0],
            "many": service.record_nouns[1],
            "fields": [_shown(field, service.platform.label) for field in fields],
            "open": sum(field.open for field in fields),
            "gone": report.gone(check, sees=sees) if check else [],
            "runs": [(run, run_pill(run)) for run in report.runs(check)] if check else [],
            "schedules": [definition.words(each) for each in activation.schedules.filter(purpose="drift")],
        }
        return TemplateResponse(request, "screens/drift.html", context)


def _to(run: Run) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:activations_run_change", args=[run.pk]))


def _failed(activation: Activation, check: Run | None) -> Run | None:
    """The last check, if it did not complete."""
    last = drift_checks.checks(activation).exclude(state__in=Run.LIVE).first()
    return last if last and (check is None or last.pk > check.pk) else None


def _shown(field: FieldDrift, vendor: str) -> dict[str, Any]:
    return {
        "field": field,
        "heals": field.policy == RESTORED,
        "examples": list(_examples(field, vendor)),
        "more": field.open - len(field.examples),
    }


def _examples(field: FieldDrift, vendor: str) -> Iterator[dict[str, Any]]:
    for example in field.examples:
        yield {
            "change": example.change,
            "sent": in_words(example.sent),
            "held": in_words(example.held) if example.is_kept else "no longer stored",
            "who": attribution.in_words(example.writer, vendor),
            "writer_id": example.drift.writer_id,
            "written_at": example.written_at,
        }
