"""The test with one record: find it, see the exact request, send it after a click, and see the response."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from rest_framework.response import Response

from activations.alerts.words import run_words
from activations.delivery import preview
from activations.models import Activation, Run
from activations.runs import requests
from activations.screens import hidden_values
from activations.screens.answers import programs as answers
from activations.screens.review import new_records
from activations.screens.run import exchanges
from core.errors import Misconfigured
from core.web.api.schema import described
from core.web.endpoints import Endpoint
from destinations.registry import services
from segments.reading import one_row
from segments.screens.record_values import PERMISSION, may_see_values
from segments.screens.source_api import cancellation_check, json_value

if TYPE_CHECKING:
    from rest_framework.request import Request

    from activations.models import Change

MOST_CHARACTERS = 200
TEST = ("activations.run_activation", "activations.view_change", "segments.view_datamodel", PERMISSION)
"""Needed for the test with one record, which is found by its values, and shows them."""


class RecordSearch(Endpoint):
    """`?q=`: rows of an activation's model by name, key or match value. Queries the source for at most some seconds."""

    permissions = TEST

    @described(answers.RecordsFound, query={"q": "The text to search for."})
    def get(self, request: Request, pk: int) -> Response:
        activation = _activation(pk)
        text = str(request.query_params.get("q") or "").strip()[:MOST_CHARACTERS]
        if not text:
            return Response({"records": []})
        model = activation.data_model
        columns = [name for name in (model.display_column, activation.match_column) if name]
        rows = one_row.find(model, text, columns, now=timezone.now(), check=cancellation_check(request))
        found = [
            {
                "key": str(json_value(row[model.primary_key])),
                "name": str(json_value(row.get(model.display_column)) or ""),
                "match": str(json_value(row.get(activation.match_column)) or ""),
            }
            for row in rows
        ]
        return Response({"records": found})


class RequestPreview(Endpoint):
    """POST `key`: the exact request that a run would send for this record, or why nothing would be sent."""

    permissions = TEST

    @described(answers.PreviewAnswer, body=answers.KeyRequest)
    def post(self, request: Request, pk: int) -> Response:
        activation = _activation(pk)
        found = preview.request_for(activation, _key(request), request.user)
        return Response({**dataclasses.asdict(found), "body": exchanges.readable(found.body), "is_sent": found.is_sent})


class OneRecordRun(Endpoint):
    """POST `key`: starts a run of this record alone. The response contains the address of its state."""

    permissions = ("activations.run_activation",)

    @described(answers.OneRecordStarted, status=202, body=answers.KeyRequest)
    def post(self, request: Request, pk: int) -> Response:
        activation, key = _activation(pk), _key(request)
        run = requests.request(activation, Run.Trigger.MANUAL, only_key=key)
        if run.only_key != key:
            raise Misconfigured("run_live", "A run is live. Wait until it has ended, then test again.")
        return Response({"run": run.pk, "state": reverse("api:editor-test", args=[run.pk])}, status=202)


class OneRecordState(Endpoint):
    """How a run of one record ended: the outcome, the request and the response."""

    permissions = ("activations.view_run", "activations.view_change")

    @described(answers.OneRecordAnswer)
    def get(self, request: Request, pk: int) -> Response:
        run = get_object_or_404(Run.objects.exclude(only_key=""), pk=pk)
        page = reverse("admin:activations_run_change", args=[run.pk])
        shown = {"live": run.is_live, "label": run_words(run), "page": page, "message": run.error_message}
        change = None if run.is_live else run.changes.order_by("pk").last()
        return Response({**shown, **(_outcome(change, sees=may_see_values(request.user)) if change else {})})


class NewRecords(Endpoint):
    """How many of the new records of a dry run exist at the destination already. Sends lookups, and never writes."""

    permissions = ("activations.run_activation", "activations.view_change")

    @described(answers.NewRecordsAnswer)
    def post(self, request: Request, pk: int) -> Response:
        run = get_object_or_404(
            Run.objects.select_related("activation__destination__connection"), pk=pk, dry_run=True, state="planned"
        )
        if not request.user.has_perm("destinations.view_destination"):
            raise PermissionDenied
        found = new_records.split(run)
        service = services[run.activation.destination.service]
        note = "" if found.is_complete else (
            f"Estimated: {found.looked_up:,} of {found.new:,} new {service.record_nouns[1]} were looked up in "
            f"{service.platform.label}."
        )  # fmt: skip
        return Response({"counts": found.counts(run.activation.mode, run.known), "note": note})


def _outcome(change: Change, *, sees: bool) -> dict[str, Any]:
    shown, _ = exchanges.of(change)
    if not sees:
        change, shown = hidden_values.mask(change), hidden_values.mask_exchange(shown) if shown else None
    exchange = dataclasses.asdict(shown) if shown else None
    return {
        "outcome": "Created" if change.created else change.get_outcome_display(),
        "is_accepted": change.outcome == "accepted",
        "message": change.message,
        "web_url": change.web_url,
        "exchange": exchange,
    }


def _activation(pk: int) -> Activation:
    return get_object_or_404(
        Activation.objects.select_related("segment__model__source", "model__source", "destination__connection"), pk=pk
    )


def _key(request: Request) -> str:
    key = str(request.data.get("key") or "")
    if not key:
        raise Misconfigured("record_missing", "Choose a record first.")
    return key


urlpatterns = [
    path("editor/activations/<int:pk>/records/", RecordSearch.as_view(), name="editor-records"),
    path("editor/activations/<int:pk>/request/", RequestPreview.as_view(), name="editor-request"),
    path("editor/activations/<int:pk>/test/", OneRecordRun.as_view(), name="editor-send"),
    path("editor/tests/<int:pk>/", OneRecordState.as_view(), name="editor-test"),
    path("editor/reviews/<int:pk>/new/", NewRecords.as_view(), name="editor-new"),
]
