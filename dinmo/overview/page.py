"""What the overview shows to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from activations.alerts.state import Issue, issues, look_at_all
from activations.models import Run
from activations.screens.run.counts import percent
from dinmo.overview import strips, totals
from dinmo.overview.problems import Problem, causes
from dinmo.start import alerts
from dinmo.start.views import NEEDED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from django.http import HttpRequest

    from activations.alerts.state import State
    from activations.models import Activation

NEXT_RUNS, LIVE_RUNS = 5, 10
CAUSES = ("activations.view_run", "segments.view_source", "destinations.view_connection")
"""Needed to see why an activation fails."""
SEES_ALERTS = "activations.view_alertchannel"


def context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The template context of the overview. What the user has no permission for is left out."""
    now, user = timezone.now(), request.user
    sees_runs = user.has_perm("activations.view_run")
    known = look_at_all(now)
    activations = known.activations if user.has_perm("activations.view_activation") else []
    derived = known.states
    page, rows = strips.page(activations, derived, request.GET.get("page"), with_runs=sees_runs)
    days = totals.per_day(now) if sees_runs else []
    problems = [_problem(issue) for issue in issues(now, known) if _may_see(user, issue)]
    return {
        **context,
        "title": "Overview",
        "start_url": _start_url(),
        "may_start": user.has_perms(NEEDED),
        "causes": causes(problems),
        "question": alerts.question(request, "overview") if user.has_perm(SEES_ALERTS) else None,
        "page": page,
        "strips": rows,
        "show_reasons": user.has_perms(CAUSES),
        "show_runs": sees_runs,
        "days": days,
        "totals": [sum(getattr(day, name) for day in days) for name in ("created", "updated", "not_sent")],
        "chart": totals.chart(days),
        "live": _live() if sees_runs else [],
        "upcoming": _upcoming(activations, derived),
        "usage": totals.usage(now) if sees_runs and user.has_perm("destinations.view_connection") else [],
    }


def _start_url() -> str:
    try:
        return reverse("start")
    except NoReverseMatch:
        return reverse("admin:segments_source_add")


def _live() -> list[tuple[Run, int | None]]:
    """The runs in progress, each with how much of it is settled, in percent."""
    runs = Run.objects.filter(state__in=Run.LIVE).select_related("activation")
    return [(run, percent(run)) for run in runs.order_by("pk")[:LIVE_RUNS]]


def _upcoming(activations: Sequence[Activation], derived: Mapping[int, State]) -> list[tuple[datetime, Activation]]:
    """The next runs that schedules start."""
    times = [(time, one) for one in activations if not one.is_draft and (time := derived[one.pk].next_run)]
    return sorted(times, key=lambda pair: pair[0])[:NEXT_RUNS]


def _may_see(user: Any, issue: Issue) -> bool:
    row = f"{issue.about._meta.app_label}.view_{issue.about._meta.model_name}" if issue.about else ""
    return all(user.has_perm(permission) for permission in (row, issue.permission) if permission)


def _problem(issue: Issue) -> Problem:
    about = issue.about
    url = reverse(f"admin:{about._meta.label_lower.replace('.', '_')}_change", args=[about.pk]) if about else ""
    return Problem(issue.subject, url, issue.label, issue.tone, issue.message)
