"""The dashboard: what is running, what was synchronized, and what needs attention."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Max, Sum
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils import timezone

from activations.alerts.state import RELATED, Issue, issues, states
from activations.alerts.state import State as ActivationState
from activations.models import Activation, Run
from activations.screens.presentation import run_pill, state_pill
from core.web.screens import pill
from destinations.models import Connection, Destination
from destinations.registry import platforms
from segments.models import DataModel, Segment, Source

if TYPE_CHECKING:
    from django.http import HttpRequest

DAYS = 30
STEPS = (
    (Source, "Connect a source", "The database or file that contains your data.", "segments_source"),
    (
        DataModel,
        "Define a model",
        "A table or a query whose rows are companies, people or other records.",
        "segments_datamodel",
    ),
    (Segment, "Build a segment", "The rows to send. Skip this step to send a whole model.", "segments_segment"),
    (Connection, "Connect a platform", "{platforms}, with an access token.", "destinations_connection"),
    (
        Destination,
        "Add a destination",
        "What to synchronize, for example companies.",
        "destinations_destination",
    ),
    (Activation, "Create an activation", "Which fields to send, where to, and when.", "activations_activation"),
)


def context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The template context of the dashboard. What the user has no permission for is left out."""
    now = timezone.now()
    steps = first_steps(request.user)
    may_see_runs = request.user.has_perm("activations.view_run")
    rows = activation_rows(now, may_see_runs) if request.user.has_perm("activations.view_activation") else []
    return {
        **context,
        "title": "Overview",
        "steps": steps,
        "begun": any(step["done"] for step in steps),
        "rows": rows,
        "chart": synced_per_day(now.date()) if may_see_runs else None,
        "issues": [_issue(issue) for issue in issues(now) if _may_see(request.user, issue)],
        "live_runs": Run.objects.filter(state__in=Run.LIVE).count() if may_see_runs else 0,
    }


def first_steps(user: Any) -> list[dict[str, Any]]:
    """The setup steps that the user has permission for, each marked as done or not."""
    labels = " or ".join(platform.label for platform in platforms.all.values())
    steps = [
        {
            "title": title,
            "text": text.format(platforms=labels),
            "url": reverse(f"admin:{name}_add"),
            "done": model.objects.exists(),
        }
        for model, title, text, name in STEPS
        if user.has_perm(f"{model._meta.app_label}.add_{model._meta.model_name}")
    ]
    if not user.has_perm("activations.change_activation"):
        return steps
    run = {"title": "Run it", "text": "Open the activation and click “Run now”.", "done": Run.objects.exists()}
    return [*steps, {**run, "url": reverse("admin:activations_activation_changelist")}]


def activation_rows(now: datetime, with_runs: bool) -> list[dict[str, Any]]:
    """Every activation with its latest run, if that may be shown, and its next one."""
    activations = Activation.objects.select_related(*RELATED).prefetch_related("schedules", "mappings")
    derived = states(activations, now)
    last_ids = Run.objects.values("activation").annotate(last=Max("pk")).order_by().values("last")
    latest = {run.activation_id: run for run in Run.objects.filter(pk__in=last_ids)} if with_runs else {}
    return [_row(activation, latest.get(activation.pk), derived[activation.pk]) for activation in activations]


def synced_per_day(today: date) -> dict[str, list[Any]]:
    """Records accepted on each of the last 30 days including today, in UTC."""
    first = today - timedelta(days=DAYS - 1)
    ended = Run.objects.filter(finished_at__date__gte=first, dry_run=False)
    per_day = dict(
        ended.annotate(day=TruncDate("finished_at")).values_list("day").annotate(total=Sum("accepted")).order_by("day")
    )
    days = [first + timedelta(days=offset) for offset in range(DAYS)]
    return {"labels": [f"{day.day} {day:%b}" for day in days], "values": [per_day.get(day, 0) for day in days]}


def _row(activation: Activation, run: Run | None, state: ActivationState) -> dict[str, Any]:
    return {
        "activation": activation,
        "run": run,
        "pill": run_pill(run) if run else "",
        "not_taken": run.rejected + run.invalid + run.skipped + run.unknown if run else 0,
        "state": state,
        "state_pill": state_pill(state),
    }


def _may_see(user: Any, issue: Issue) -> bool:
    row = f"{issue.about._meta.app_label}.view_{issue.about._meta.model_name}" if issue.about else ""
    return all(user.has_perm(permission) for permission in (row, issue.permission) if permission)


def _issue(issue: Issue) -> dict[str, Any]:
    about = issue.about
    url = reverse(f"admin:{about._meta.label_lower.replace('.', '_')}_change", args=[about.pk]) if about else ""
    return {"subject": issue.subject, "message": issue.message, "url": url, "pill": pill(issue.label, issue.tone)}
