"""The JSON endpoints of activations: the state of each, what needs attention, and runs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from rest_framework.response import Response

from activations.alerts.rules import closed_by, warnings_of
from activations.alerts.state import RELATED, State, issues, state_of
from activations.alerts.words import run_words
from activations.models import Activation, Run, Schedule
from activations.runs import requests
from activations.scheduling import definition
from activations.screens.answers import runs as answers
from activations.screens.review import comparison
from core.errors import Misconfigured
from core.web import time_zone
from core.web.api.schema import described
from core.web.endpoints import Endpoint, number
from core.web.error_pages import help_url
from segments.screens.record_values import may_see_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rest_framework.request import Request

COMPARISON_PAGE = 100
LONGEST_ID = 18
"""In digits."""


class ActivationState(Endpoint):
    """GET returns the state of an activation, with its causes and the next scheduled run."""

    permissions = ("activations.view_activation",)

    @described(answers.ActivationAnswer)
    def get(self, request: Request, pk: int) -> Response:
        activation = get_object_or_404(Activation.objects.select_related(*RELATED), pk=pk)
        state = state_of(activation, timezone.now())
        return Response({"id": activation.pk, "name": activation.name, **state_json(state)})


class Issues(Endpoint):
    """GET returns everything that needs attention, the most severe first."""

    permissions = (
        "activations.view_activation",
        "activations.view_run",
        "segments.view_source",
        "segments.view_datamodel",
        "destinations.view_connection",
    )

    @described(answers.IssuesAnswer)
    def get(self, request: Request) -> Response:
        found = [
            {
                "subject": issue.subject,
                "kind": issue.about._meta.model_name if issue.about else "process",
                "id": issue.about.pk if issue.about else None,
                "label": issue.label,
                "severity": "error" if issue.tone == "bad" else "warning",
                "message": issue.message,
            }
            for issue in issues(timezone.now())
        ]
        return Response({"issues": found})


class ScheduleWords(Endpoint):
    """POST the fields of a schedule: when it starts runs, in words, and the next five times. Saves nothing."""

    permissions = ("activations.view_activation",)

    @described(answers.ScheduleAnswer, body=answers.ScheduleFields)
    def post(self, request: Request) -> Response:
        schedule = parsed_schedule(request.data)
        words = definition.words(schedule)
        now = timezone.now()
        upcoming = definition.next_runs(schedule, now, definition.UPCOMING)
        local = [time.astimezone(schedule.timezone) for time in upcoming]
        return Response(
            {
                "words": words,
                "times": [time.isoformat() for time in upcoming],
                "next": [f"{time:%a %d %b{'' if time.year == now.year else ' %Y'}, %H:%M %Z}" for time in local],
                "timezone": str(schedule.timezone),
                "note": definition.note(schedule, local),
            }
        )


class ActivationRuns(Endpoint):
    """POST starts a run, or returns the live one. `full`, `dry_run`, `live` and `only_key` are optional.

    `live` is for dry runs: they compare with the records at the destination.
    While a run waits for approval, no other starts: the code is `run_held`.
    """

    permissions = ("activations.run_activation",)

    @described(answers.RunAnswer, status=202, body=answers.RunRequest)
    def post(self, request: Request, pk: int) -> Response:
        activation = get_object_or_404(Activation, pk=pk)
        chosen = {name: request.data.get(name) is True for name in ("full", "dry_run", "live")}
        only_key = str(request.data.get("only_key") or "")
        run = requests.request(activation, Run.Trigger.API, only_key=only_key, **chosen)
        return Response(run_json(run), status=202)


class RunRetry(Endpoint):
    """POST makes the records that a run could not send due now, and starts a run for them.

    `records` is their number. `run` is null if there are none.
    """

    permissions = ("activations.run_activation",)

    @described(answers.RetryAnswer, status=(200, 202))
    def post(self, request: Request, pk: int) -> Response:
        run = get_object_or_404(Run.objects.select_related("activation"), pk=pk)
        retried = requests.retry_now(run, Run.Trigger.API)
        started = run_json(retried.run) if retried.run else None
        return Response({"records": retried.records, "run": started}, status=202 if started else 200)


class RunComparison(Endpoint):
    """GET returns what a live dry run would do with each record, and the fields that it would send: what the
    destination held, and the new value.

    Names and values are left out for a person who may not see them.

    `?after=`: the `id` of the last record of the previous page. `next` is null on the last one.
    """

    permissions = ("activations.view_run", "activations.view_change")

    @described(answers.ComparisonAnswer, query={"after": "The `id` of the last record of the previous page."})
    def get(self, request: Request, pk: int) -> Response:
        run = get_object_or_404(Run.objects.select_related("activation__destination"), pk=pk, live=True)
        after, sees = number(request.query_params.get("after")), may_see_values(request.user)
        found = comparison.records(run, after, COMPARISON_PAGE, sees=sees)
        following = found[-1]["id"] if len(found) == COMPARISON_PAGE else None
        return Response({**comparison.summary(run), "records": found, "next": following})


class RunState(Endpoint):
    """GET returns the state and every count of a run."""

    permissions = ("activations.view_run",)

    @described(answers.RunAnswer)
    def get(self, request: Request, pk: int) -> Response:
        return Response(run_json(get_object_or_404(Run, pk=pk)))


def parsed_schedule(data: Mapping[str, Any]) -> Schedule:
    """An unsaved schedule with the fields of a form.

    Raises:
        Misconfigured: a field doesn't have the right type.
    """
    fields = ("purpose", "kind", "every", "unit", "cron", "at", "timezone", "watch_column")
    given: dict[str, Any] = {name: str(data[name]) for name in fields if data.get(name) not in (None, "")}
    days = data.get("days")
    if not time_zone.zone(given.get("timezone", "UTC")):
        raise Misconfigured("schedule_invalid", "There is no such time zone.")
    try:
        schedule = Schedule(**given, days=days if isinstance(days, list) else [])
        schedule.clean_fields(exclude=["activation", "task", "days", "after"])
        schedule.after = Activation.objects.filter(pk=_number(data.get("after"))).first()
        schedule.starts_at, schedule.ends_at = (_moment(data.get(name), schedule) for name in ("starts_at", "ends_at"))
    except ValidationError as error:
        raise Misconfigured("schedule_invalid", error.messages[0]) from None
    except ValueError:
        raise Misconfigured("schedule_invalid", "Enter a date and a time.") from None
    return schedule


def _number(text: Any) -> int:
    return int(text) if str(text).isdecimal() and len(str(text)) < LONGEST_ID else 0


def _moment(text: Any, schedule: Schedule) -> datetime | None:
    """A moment that was entered in the schedule's time zone. Raises ValueError if it is none."""
    moment = datetime.fromisoformat(str(text)) if text else None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=schedule.timezone)


def state_json(state: State) -> answers.StateAnswer:
    """The state of an activation in JSON."""
    return {"state": state.slug, "label": state.label, "causes": list(state.causes), "next_run": state.next_run}


def error_json(run: Run) -> answers.ErrorAnswer | None:
    """Why a run failed, with the address at which the documentation says what to do. None if it did not fail."""
    if not run.error_code:
        return None
    return {"code": run.error_code, "message": run.error_message, "help": help_url(run.problem_code or run.error_code)}


def run_json(run: Run) -> answers.RunAnswer:
    """A run in JSON."""
    return {
        "id": run.pk,
        "number": run.number,
        "activation": run.activation_id,
        "state": run.state,
        "label": run_words(run),
        "live": run.is_live,
        "kind": run.kind,
        "reason": run.reason,
        "trigger": run.trigger,
        "dry_run": run.dry_run,
        "compared": run.live,
        "only_key": run.only_key,
        "counts": run.counts(),
        "hold": run.hold,
        "decision": {"kind": run.decision, "by": run.decided_by, "at": run.decided_at} if run.decision else None,
        "error": error_json(run),
        "warnings": [warning.message for warning in warnings_of(run)],
        "closed_warnings": [warning.message for warning in closed_by(run)],
    }


urlpatterns = [
    path("issues/", Issues.as_view(), name="issues"),
    path("activations/<int:pk>/", ActivationState.as_view(), name="activation"),
    path("schedules/words/", ScheduleWords.as_view(), name="schedule-words"),
    path("activations/<int:pk>/runs/", ActivationRuns.as_view(), name="activation-runs"),
    path("runs/<int:pk>/", RunState.as_view(), name="run"),
    path("runs/<int:pk>/comparison/", RunComparison.as_view(), name="run-comparison"),
    path("runs/<int:pk>/retry/", RunRetry.as_view(), name="run-retry"),
]
