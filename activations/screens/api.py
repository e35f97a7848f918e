"""The JSON endpoints of activations: start a run, and get its state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.shortcuts import get_object_or_404
from django.urls import path
from rest_framework.response import Response

from activations.alerts.rules import warnings_of
from activations.models import Activation, Run
from activations.runs import requests
from core.web.endpoints import Endpoint

if TYPE_CHECKING:
    from rest_framework.request import Request


class ActivationRuns(Endpoint):
    """POST starts a run, or returns the live one. `full` and `dry_run` are optional."""

    permissions = ("activations.change_activation",)

    def post(self, request: Request, pk: int) -> Response:
        activation = get_object_or_404(Activation, pk=pk)
        full, dry_run = request.data.get("full") is True, request.data.get("dry_run") is True
        return Response(run_json(requests.request(activation, Run.Trigger.API, full=full, dry_run=dry_run)), status=202)


class RunState(Endpoint):
    """GET returns the state and every count of a run."""

    permissions = ("activations.view_run",)

    def get(self, request: Request, pk: int) -> Response:
        return Response(run_json(get_object_or_404(Run, pk=pk)))


def run_json(run: Run) -> dict[str, Any]:
    """A run in JSON."""
    return {
        "id": run.pk,
        "number": run.number,
        "activation": run.activation_id,
        "state": run.state,
        "live": run.is_live,
        "kind": run.kind,
        "reason": run.reason,
        "trigger": run.trigger,
        "dry_run": run.dry_run,
        "counts": run.counts(),
        "error": {"code": run.error_code, "message": run.error_message} if run.error_code else None,
        "warnings": [warning.message for warning in warnings_of(run)],
    }


urlpatterns = [
    path("activations/<int:pk>/runs/", ActivationRuns.as_view(), name="activation-runs"),
    path("runs/<int:pk>/", RunState.as_view(), name="run"),
]
