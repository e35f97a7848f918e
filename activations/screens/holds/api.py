"""The endpoints that approve and discard held runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import get_object_or_404
from django.urls import path
from rest_framework.response import Response

from activations.guards import decide
from activations.models import Run
from activations.screens.answers import runs as answers
from activations.screens.api import run_json
from core.web.api.schema import described
from core.web.endpoints import Endpoint

if TYPE_CHECKING:
    from rest_framework.request import Request

RELATED = ("activation__destination__connection", "activation__segment__model", "activation__model")


class RunApproval(Endpoint):
    """POST approves a held run: exactly its plan is sent. `run_not_held` or `plan_outdated` if it can't be."""

    permissions = ("activations.approve_run",)

    @described(answers.RunAnswer, status=202)
    def post(self, request: Request, pk: int) -> Response:
        run = get_object_or_404(Run.objects.select_related(*RELATED), pk=pk)
        decide.approve(run, request.user.get_username())
        return Response(run_json(Run.objects.get(pk=pk)), status=202)


class RunDiscard(Endpoint):
    """POST discards the plan of a held run: nothing of it is sent."""

    permissions = ("activations.approve_run",)

    @described(answers.RunAnswer, status=202)
    def post(self, request: Request, pk: int) -> Response:
        decide.discard(get_object_or_404(Run.objects.select_related(*RELATED), pk=pk), request.user.get_username())
        return Response(run_json(Run.objects.get(pk=pk)), status=202)


urlpatterns = [
    path("runs/<int:pk>/approve/", RunApproval.as_view(), name="run-approve"),
    path("runs/<int:pk>/discard/", RunDiscard.as_view(), name="run-discard"),
]
