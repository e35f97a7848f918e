"""JSON that the condition builder and the page of a segment ask for: what can be named, what a segment holds, and its parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from rest_framework.response import Response

from core.errors import Misconfigured
from core.web.endpoints import Endpoint, number
from segments.conditions import limits, parsing
from segments.conditions.scope_from_db import model_scope, source_scopes
from segments.models import DataModel, Segment
from segments.reading import read, sizes, superseding
from segments.reading.prefetch import do_nothing
from segments.screens.source_api import PREVIEW_ROWS, columns_json, plain, rows_json

if TYPE_CHECKING:
    from rest_framework.request import Request

    from segments.conditions.scope import ModelScope

VALUES = 50
GROUPS = 12
PAGE_LENGTH = 80


class BuilderFacts(Endpoint):
    """What the conditions of a model can name: columns, related models with theirs, and segments."""

    permissions = ("segments.view_segment", "segments.view_datamodel")

    def get(self, request: Request, pk: int) -> Response:
        model = get_object_or_404(DataModel, pk=pk)
        columns_now = columns_json(model)
        world = {name: facts_json(about) for name, about in source_scopes(model.source).items()}
        ids = dict(DataModel.objects.filter(source=model.source).values_list("name", "pk"))
        for name, about in world.items():
            about["id"] = ids[name]
        world[model.name]["columns"] = columns_now["columns"]
        return Response({"model": model.name, "models": world, "problem": columns_now["problem"]})


class ColumnValues(Endpoint):
    """POST `column`, `search`: the most frequent values of a column, to choose from."""

    permissions = ("segments.view_datamodel",)

    def post(self, request: Request, pk: int) -> Response:
        model = get_object_or_404(DataModel, pk=pk)
        column, search = str(request.data.get("column") or ""), str(request.data.get("search") or "")
        found = read.values(model, column, search, limit=VALUES, check=look_of(request))
        return Response({"values": [{"value": plain(value), "rows": rows} for value, rows in found]})


class SegmentSaid(Endpoint):
    """POST `model`, `where`, `limit`: the segment in one sentence and as SQL; the source is not asked."""

    permissions = ("segments.view_segment", "segments.view_datamodel")

    def post(self, request: Request) -> Response:
        segment = asked_segment(request)
        about = model_scope(segment.model)
        tree = parsing.parse(segment.where, about, name=segment.name)
        sentence = parsing.sentence(segment.model.name, tree, limits.parse(segment.limit, about.types))
        return Response({"sentence": sentence, "sql": read.sql(read.selection(segment), now=timezone.now())})


class SegmentPreview(Endpoint):
    """POST `model`, `where` and `limit`, saved or not: how many rows, of how many, the first of them, and the SQL that says so.

    Computed fields that it does not name are left out, as they may read many related rows. With `page` and `number`, an earlier question of
    the same page that is still being worked on is ended in the source.
    """

    permissions = ("segments.view_segment", "segments.view_datamodel")

    def post(self, request: Request) -> Response:
        segment, now = asked_segment(request), timezone.now()
        selection = read.selection(segment)
        total = bool(request.data.get("total"))
        found = read.examine(selection, now=now, limit=PREVIEW_ROWS, total=total, check=look_of(request))
        figures = {"count": found.count, "total": found.total, "left_out": found.left_out}
        return Response({**figures, "sql": read.sql(selection, now=now), **rows_json(found.rows)})


class SegmentBreakdown(Endpoint):
    """POST `column`: how many rows of the segment have each of its values, the most frequent ones."""

    permissions = ("segments.view_segment", "segments.view_datamodel")

    def post(self, request: Request, pk: int) -> Response:
        segment, now = get_object_or_404(Segment.objects.select_related("model__source"), pk=pk), timezone.now()
        selection = read.selection(segment)
        groups = read.breakdown(selection, str(request.data.get("column") or ""), now=now, limit=GROUPS)
        total = read.count(selection, now=now)
        return Response({"total": total, "groups": [{"value": plain(value), "rows": rows} for value, rows in groups]})


class SegmentOverlap(Endpoint):
    """POST `other`, another segment of the same model: how many rows are in both, and only in one of them."""

    permissions = ("segments.view_segment", "segments.view_datamodel")

    def post(self, request: Request, pk: int) -> Response:
        one = get_object_or_404(Segment.objects.select_related("model__source"), pk=pk)
        other = one.model.segments.filter(pk=number(request.data.get("other"))).first()
        if other is None:
            raise Misconfigured("segment_unknown", "Choose another segment of the same model.")
        both, only, rest = sizes.overlap(one, other, timezone.now())
        return Response({"both": both, "only": only, "other_only": rest, "name": one.name, "other": other.name})


class PreviewEnd(Endpoint):
    """POST `page`, `number`: whatever was asked before this number is not wanted any more."""

    permissions = ("segments.view_segment",)

    def post(self, request: Request) -> Response:
        look_of(request)
        return Response({})


def asked_segment(request: Request) -> Segment:
    """The unsaved segment that a page asks about."""
    where, limit, model = request.data.get("where"), request.data.get("limit"), number(request.data.get("model"))
    if not isinstance(where, Mapping | None) or not isinstance(limit, Mapping | None) or not model:
        raise Misconfigured("segment_incomplete", "Choose a model first.")
    found = get_object_or_404(DataModel.objects.select_related("source"), pk=model)
    return Segment(
        model=found, where=dict(where or {}), limit=dict(limit or {}), name=str(request.data.get("name") or "")
    )


def look_of(request: Request) -> Callable[[], None]:
    """What ends the work on the request once its page asks something else; nothing does where it names no page."""
    page, number = request.data.get("page"), request.data.get("number")
    if (
        not isinstance(page, str)
        or not isinstance(number, int)
        or not 0 < len(page) <= PAGE_LENGTH
        or not 0 <= number < 2**31
    ):
        return do_nothing
    return superseding.register(page, number)


def facts_json(about: ModelScope) -> dict[str, Any]:
    """The facts of a model for the builder."""
    return {
        "columns": [
            {"name": name, "type": column_type, "computed": name in about.computed}
            for name, column_type in about.types.items()
        ],
        "links": [{"model": link.model, "through": link.through, "many": link.many} for link in about.links],
        "segments": list(about.segments),
    }


urlpatterns = [
    path("models/<int:pk>/builder/", BuilderFacts.as_view(), name="model-builder"),
    path("models/<int:pk>/values/", ColumnValues.as_view(), name="model-values"),
    path("segments/preview/", SegmentPreview.as_view(), name="segment-preview"),
    path("segments/<int:pk>/breakdown/", SegmentBreakdown.as_view(), name="segment-breakdown"),
    path("segments/<int:pk>/overlap/", SegmentOverlap.as_view(), name="segment-overlap"),
    path("segments/preview/end/", PreviewEnd.as_view(), name="segment-preview-end"),
    path("segments/said/", SegmentSaid.as_view(), name="segment-said"),
]
