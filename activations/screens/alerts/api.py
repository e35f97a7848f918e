"""The endpoints of warnings: those that are open, and acknowledging one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from rest_framework.response import Response

from activations.alerts import record
from activations.models import Warning
from activations.screens.answers import runs as answers
from core.web.api.schema import described
from core.web.endpoints import Endpoint, number

if TYPE_CHECKING:
    from rest_framework.request import Request

MOST = 1_000


class Warnings(Endpoint):
    """GET returns the open warnings, the latest first: at most 1,000, and `total`, the number of all.

    `?activation=ID` and `?acknowledged=true` or `false` restrict them.
    """

    permissions = ("activations.view_warning",)

    @described(
        answers.WarningsAnswer, query={"activation": "The ID of an activation.", "acknowledged": "true or false."}
    )
    def get(self, request: Request) -> Response:
        found = Warning.objects.filter(closed_at=None).select_related("activation").order_by("-opened_at", "-pk")
        if "activation" in request.query_params:
            found = found.filter(activation=number(request.query_params["activation"]))
        if (acknowledged := request.query_params.get("acknowledged")) in ("true", "false"):
            found = found.filter(acknowledged_at__isnull=acknowledged == "false")
        return Response({"total": found.count(), "warnings": [warning_json(each) for each in found[:MOST]]})


class WarningAcknowledgement(Endpoint):
    """POST acknowledges a warning, which takes it off the overview. One that is acknowledged or closed stays so."""

    permissions = ("activations.change_warning",)

    @described(answers.WarningAnswer)
    def post(self, request: Request, pk: int) -> Response:
        wanted = Warning.objects.filter(pk=pk).select_related("activation")
        record.acknowledge(wanted, request.user.get_username(), timezone.now())
        return Response(warning_json(get_object_or_404(wanted)))


def warning_json(warning: Warning) -> answers.WarningAnswer:
    """A warning in JSON."""
    by, at = warning.acknowledged_by, warning.acknowledged_at
    return {
        "id": warning.pk,
        "kind": warning.kind,
        "label": warning.label,
        "subject": warning.subject,
        "message": warning.message,
        "activation": {"id": warning.activation_id, "name": warning.activation.name},
        "run": warning.last_run_id,
        "opened_at": warning.opened_at,
        "acknowledged": {"by": by, "at": at} if at else None,
        "closed_at": warning.closed_at,
    }


urlpatterns = [
    path("warnings/", Warnings.as_view(), name="warnings"),
    path("warnings/<int:pk>/acknowledge/", WarningAcknowledgement.as_view(), name="warning-acknowledge"),
]
