"""The endpoints that pause and resume an activation, and check what the system paused it for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from rest_framework.response import Response

from activations.alerts.state import RELATED, state_of
from activations.models import Activation
from activations.pauses import act, check
from activations.screens.answers import runs as answers
from activations.screens.api import state_json
from activations.setup import holds
from core.web.api.schema import described
from core.web.endpoints import Endpoint
from core.web.error_pages import help_url

if TYPE_CHECKING:
    from rest_framework.request import Request


class ActivationPause(Endpoint):
    """GET returns the pause by the system. POST does what the address says, and returns the state afterwards."""

    permissions = ("activations.view_activation",)
    change_permissions = ("activations.run_activation",)
    action = ""

    @described(answers.SystemPauseAnswer)
    def get(self, request: Request, pk: int) -> Response:
        return Response({"pause": pause_json(get_object_or_404(Activation, pk=pk))})

    @described(answers.PausedStateAnswer)
    def post(self, request: Request, pk: int) -> Response:
        activation, now = get_object_or_404(Activation, pk=pk), timezone.now()
        if self.action == "pause":
            act.pause_by_person(activation)
        elif self.action == "resume":
            act.resume_by_person(activation, now)
        else:
            check.check_now(activation, now)
        fresh = Activation.objects.select_related(*RELATED).get(pk=pk)
        return Response({**state_json(state_of(fresh, now)), "pause": pause_json(fresh)})


def pause_json(activation: Activation) -> answers.PauseAnswer | None:
    """The pause by the system in JSON; None if there is none."""
    found = holds.system_pause(activation)
    if found is None:
        return None
    return {
        "cause": found.cause,
        "code": found.code,
        "message": holds.words(found),
        "since": found.since,
        "checks": found.checks,
        "next_check_at": found.next_check_at,
        "help": help_url(found.code),
    }


urlpatterns = [
    path(f"activations/<int:pk>/{action}/", ActivationPause.as_view(action=action), name=f"activation-{action}")
    for action in ("pause", "resume", "check")
]
