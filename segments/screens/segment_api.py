"""JSON endpoints for the condition builder and the page of a segment: scope, preview, breakdown and overlap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from rest_framework.response import Response

from core.errors import Misconfigured
from core.web.api.schema import described
from core.web.endpoints import Endpoint, number
from segments.conditions import limits, parsing
from segments.conditions.scope_from_db import model_scope, source_scopes
from segments.models import DataModel, Segment
from segments.reading import read, sizes
from segments.screens.answers import segments as answers
from segments.screens.record_values import PERMISSION, may_see_values
from segments.screens.source_api import PREVIEW_ROWS, cancellation_check, columns_json, json_value, may_store, rows_json

if TYPE_CHECKING:
    from rest_framework.request import Request

    from segments.conditions.scope import ModelScope

VALUES = 50
GROUPS = 12


class BuilderScope(Endpoint):
    """What the conditions of a model can refer to: columns, related models with their columns, and segments."""

    permissions = ("segments.view_segment", "segments.view_datamodel")

    @described(answers.BuilderAnswer)
    def get(self, request: Request, pk: int) -> Response:
        model = get_object_or_404(DataModel, pk=pk)
        current = columns_json(model, store=may_store(request))
        ids = dict(DataModel.objects.filter(source=model.source).values_list("name", "pk"))
        models = {name: {**scope_json(scope), "id": ids[name]} for name, scope in source_scopes(model.source).items()}
        models[model.name]["columns"] = current["columns"]
        return Response({"model": model.name, "models": models, "problem": current["problem"]})


class ColumnValues(Endpoint):
    """POST `column`, `search`: the most frequent values of a column, as suggestions."""

    permissions = ("segments.view_datamodel", PERMISSION)

    @described(answers.ValuesAnswer, body=answers.ValuesBody)
    def post(self, request: Request, pk: int) -> Response:
        model = get_object_or_404(DataModel, pk=pk)
        column, search = str(request.data.get("column") or ""), str(request.data.get("search") or "")
        values = read.values(model, column, search, limit=VALUES, check=cancellation_check(request))
        return Response({"values": [{"value": json_value(value), "rows": rows} for value, rows in values]})


class SegmentSentence(Endpoint):
    """POST `model`, `where`, `limit`: the segment as a sentence and as SQL. Does not query the source."""

    permissions = ("segments.view_segment", "segments.view_datamodel")

    @described(answers.SentenceAnswer, body=answers.SegmentBody)
    def post(self, request: Request) -> Response:
        segment = segment_from_request(request)
        scope = model_scope(segment.model)
        tree = parsing.parse(segment.where, scope, name=segment.name)
        sentence = parsing.sentence(segment.model.name, tree, limits.parse(segment.limit, scope.types))
        return Response({"sentence": sentence, "sql": read.sql(read.selection(segment), now=timezone.now())})


class SegmentPreview(Endpoint):
    """POST `model`, `where` and `limit`, saved or not: row count, total, first rows and SQL.

    Computed fields that the segment does not use are left out, because they may read many related rows.

    `page` and `number` cancel outdated previews: a request with a higher number ends earlier ones of the same page,
    also in the source. Aborting the HTTP request alone would leave the query running there.

    Whoever may not see the values of records gets no rows, and only the numbers of saved segments: conditions that
    somebody may choose would find out the values.
    """

    permissions = ("segments.view_segment", "segments.view_datamodel")

    @described(answers.SegmentPreviewAnswer, body=answers.SegmentPreviewBody)
    def post(self, request: Request) -> Response:
        segment, now = segment_from_request(request), timezone.now()
        sees = may_see_values(request.user)
        if not sees and not _is_saved(segment):
            raise PermissionDenied
        selection = read.selection(segment)
        total = bool(request.data.get("total"))
        preview = read.examine(selection, now=now, limit=PREVIEW_ROWS, total=total, check=cancellation_check(request))
        figures = {"count": preview.count, "total": preview.total, "left_out": preview.left_out}
        return Response({**figures, "sql": read.sql(selection, now=now), **rows_json(preview.rows if sees else [])})


class SegmentBreakdown(Endpoint):
    """POST `column`: how many rows of the segment have each of the column's most frequent values."""

    permissions = ("segments.view_segment", "segments.view_datamodel", PERMISSION)

    @described(answers.BreakdownAnswer, body=answers.BreakdownBody)
    def post(self, request: Request, pk: int) -> Response:
        segment, now = get_object_or_404(Segment.objects.select_related("model__source"), pk=pk), timezone.now()
        selection = read.selection(segment)
        groups = read.breakdown(selection, str(request.data.get("column") or ""), now=now, limit=GROUPS)
        total = read.count(selection, now=now)
        return Response(
            {"total": total, "groups": [{"value": json_value(value), "rows": rows} for value, rows in groups]}
        )


class SegmentOverlap(Endpoint):
    """POST `other`, another segment of the same model: how many rows are in both segments, and in only one."""

    permissions = ("segments.view_segment", "segments.view_datamodel")

    @described(answers.OverlapAnswer, body=answers.OverlapBody)
    def post(self, request: Request, pk: int) -> Response:
        segment = get_object_or_404(Segment.objects.select_related("model__source"), pk=pk)
        other = segment.model.segments.filter(pk=number(request.data.get("other"))).first()
        if other is None:
            raise Misconfigured("segment_unknown", "Choose a different segment of the same model.")
        both, only, other_only = sizes.overlap(segment, other, timezone.now())
        return Response(
            {"both": both, "only": only, "other_only": other_only, "name": segment.name, "other": other.name}
        )


class PreviewEnd(Endpoint):
    """POST `page`, `number`: cancels all requests of the page with a lower number."""

    permissions = ("segments.view_segment",)

    @described(answers.Nothing, body=answers.FromPage)
    def post(self, request: Request) -> Response:
        cancellation_check(request)
        return Response({})


def segment_from_request(request: Request) -> Segment:
    """Returns the unsaved segment that a request describes.

    Raises:
        Misconfigured: the request has no model, or its conditions are not an object.
    """
    where, limit, model_id = request.data.get("where"), request.data.get("limit"), number(request.data.get("model"))
    if not isinstance(where, Mapping | None) or not isinstance(limit, Mapping | None) or not model_id:
        raise Misconfigured("segment_incomplete", "Choose a model first.")
    model = get_object_or_404(DataModel.objects.select_related("source"), pk=model_id)
    return Segment(
        model=model, where=dict(where or {}), limit=dict(limit or {}), name=str(request.data.get("name") or "")
    )


def _is_saved(segment: Segment) -> bool:
    """Whether a segment of the model has exactly these conditions."""
    saved = segment.model.segments.values_list("where", "limit")
    return any((where, limit) == (segment.where, segment.limit) for where, limit in saved)


def scope_json(scope: ModelScope) -> answers.ScopeAnswer:
    """Returns what the conditions of a model can refer to, as JSON for the builder."""
    return {
        "columns": [
            {"name": name, "type": column_type, "computed": name in scope.computed}
            for name, column_type in scope.types.items()
        ],
        "links": [{"model": link.model, "through": link.through, "many": link.many} for link in scope.links],
        "segments": list(scope.segments),
    }


urlpatterns = [
    path("models/<int:pk>/builder/", BuilderScope.as_view(), name="model-builder"),
    path("models/<int:pk>/values/", ColumnValues.as_view(), name="model-values"),
    path("segments/preview/", SegmentPreview.as_view(), name="segment-preview"),
    path("segments/<int:pk>/breakdown/", SegmentBreakdown.as_view(), name="segment-breakdown"),
    path("segments/<int:pk>/overlap/", SegmentOverlap.as_view(), name="segment-overlap"),
    path("segments/preview/end/", PreviewEnd.as_view(), name="segment-preview-end"),
    path("segments/said/", SegmentSentence.as_view(), name="segment-said"),
]
