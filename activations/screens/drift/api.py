"""The endpoint that checks an activation for drift, and decides about what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import get_object_or_404
from django.urls import path
from rest_framework.response import Response

from activations.models import Activation, Run
from activations.runs import drift_checks, restores
from activations.screens.answers import runs as answers
from activations.screens.api import run_json
from activations.screens.drift import report
from core.errors import Misconfigured
from core.web.api.schema import described
from core.web.endpoints import Endpoint
from segments.screens.record_values import may_see_values

if TYPE_CHECKING:
    from rest_framework.request import Request


class ActivationDrift(Endpoint):
    """GET returns the last completed check. POST `{"action"}`: check, or restore or leave what it found.

    `field` and `key` narrow down what is restored or left to an attribute, a record, or both.
    """

    permissions = ("activations.view_activation",)
    change_permissions = ("activations.run_activation",)

    @described(answers.DriftAnswer)
    def get(self, request: Request, pk: int) -> Response:
        check = drift_checks.latest(get_object_or_404(Activation, pk=pk))
        return Response({"check": report.as_json(check, sees=may_see_values(request.user)) if check else None})

    @described(answers.RunAnswer | answers.LeftAnswer, status=(200, 202), body=answers.DriftRequest)
    def post(self, request: Request, pk: int) -> Response:
        activation, action = get_object_or_404(Activation, pk=pk), request.data.get("action")
        if action == "check":
            return _started(drift_checks.check(activation, Run.Trigger.API))
        check = drift_checks.latest(activation)
        if check is None or action not in ("restore", "leave"):
            raise Misconfigured(
                "drift_action_invalid", "`action` must be check; or restore or leave once a check has completed."
            )
        chosen = restores.selected(check, str(request.data.get("field") or ""))
        if key := str(request.data.get("key") or ""):
            chosen = chosen.filter(change__key=key)
        if action == "restore":
            return _started(restores.restore(chosen, check, Run.Trigger.API))
        return Response({"left": restores.leave(chosen, check)})


def _started(run: Run) -> Response:
    return Response(run_json(run), status=202)


urlpatterns = [path("activations/<int:pk>/drift/", ActivationDrift.as_view(), name="activation-drift")]
