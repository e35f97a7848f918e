"""JSON of sources, models and segments: tables, columns and first rows, asked of the source now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from rest_framework.response import Response

from core.errors import Problem
from core.web.endpoints import Endpoint
from segments.models import Column, DataModel, Segment, Source
from segments.reading import read
from segments.sources import discovery

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rest_framework.request import Request

    from segments.contract import ColumnInfo

PREVIEW_ROWS = 20
SAMPLE_ROWS = 5
DEEPEST = 20
"""Lists in lists beyond it are said in words."""


class SourceTables(Endpoint):
    """The tables and views of a source."""

    permissions = ("segments.view_source",)

    def get(self, request: Request, pk: int) -> Response:
        return Response({"tables": discovery.tables(get_object_or_404(Source, pk=pk))})


class SourceSample(Endpoint):
    """`?table=`: its columns and its first rows."""

    permissions = ("segments.view_source", "segments.view_datamodel")

    def get(self, request: Request, pk: int) -> Response:
        infos, rows = discovery.sample(get_object_or_404(Source, pk=pk), str(request.query_params.get("table") or ""))
        return Response({"names": [info.name for info in infos], **rows_json(rows)})


class SourceColumns(Endpoint):
    """POST `table` or `sql`: the columns that it has."""

    permissions = ("segments.view_source", "segments.view_datamodel")

    def post(self, request: Request, pk: int) -> Response:
        asked = _asked(request)
        found = discovery.discover(get_object_or_404(Source, pk=pk), **asked, seconds=settings.SOURCE_PREVIEW_SECONDS)
        return Response(
            {"columns": [{"name": column.name, "type": column.type, "native": column.native} for column in found]}
        )


class SourceRows(Endpoint):
    """POST `table` or `sql`: its first rows, before there is a model."""

    permissions = ("segments.view_source", "segments.view_datamodel")

    def post(self, request: Request, pk: int) -> Response:
        model = DataModel(source=get_object_or_404(Source, pk=pk), **_asked(request))
        return Response(rows_json(read.preview(read.selection(model), now=timezone.now(), limit=SAMPLE_ROWS)))


class ModelColumns(Endpoint):
    """The columns of a model as the source has them now, or as they were last known, with the reason."""

    permissions = ("segments.view_datamodel",)

    def get(self, request: Request, pk: int) -> Response:
        return Response(columns_json(get_object_or_404(DataModel, pk=pk)))


class SegmentColumns(Endpoint):
    """The columns of a segment's model."""

    permissions = ("segments.view_segment", "segments.view_datamodel")

    def get(self, request: Request, pk: int) -> Response:
        return Response(columns_json(get_object_or_404(Segment.objects.select_related("model"), pk=pk).model))


class ModelPreview(Endpoint):
    """The first rows of a model."""

    permissions = ("segments.view_datamodel",)

    def get(self, request: Request, pk: int) -> Response:
        selection = read.selection(get_object_or_404(DataModel, pk=pk))
        return Response(rows_json(read.preview(selection, now=timezone.now(), limit=PREVIEW_ROWS)))


def _asked(request: Request) -> dict[str, str]:
    """The table or the SQL that is asked about. Raises PermissionDenied where a person brings SQL who may not make models of it."""
    asked = {name: str(request.data.get(name) or "") for name in ("table", "sql")}
    if asked["sql"] and not any(request.user.has_perm(f"segments.{verb}_datamodel") for verb in ("add", "change")):
        raise PermissionDenied
    return asked


def columns_json(model: DataModel) -> dict[str, Any]:
    """A model's columns as the source has them now, with the types that the model gave them; without an answer, the known ones."""
    problem = ""
    try:
        found = discovery.discover(
            model.source, table=model.table, sql=model.sql, seconds=settings.SOURCE_PREVIEW_SECONDS
        )
        learn_new(model, found)
        rows = model.source_columns()
        present = [(rows[info.name], info.native) for info in found]
        columns = [
            *(_column(row, native) for row, native in present if row.used),
            *map(_column, model.computed_fields()),
        ]
    except Problem as refused:
        problem, columns = refused.message, known(model)
    return {
        "model": model.pk,
        "kind": model.kind,
        "primary_key": model.primary_key,
        "columns": columns,
        "problem": problem,
    }


def known(model: DataModel) -> list[dict[str, Any]]:
    """The columns of a model as they were last discovered."""
    return [_column(column, column.native) for column in model.columns.filter(used=True)]


def _column(column: Column, native: str = "") -> dict[str, Any]:
    said = {"name": column.name, "type": column.type, "native": native}
    return {**said, "computed": True} if column.definition else said


def learn_new(model: DataModel, found: Sequence[ColumnInfo]) -> None:
    """Stores columns that the model did not know. Known ones keep their type: a file's types follow its values."""
    known, taken = model.source_columns(), set(model.columns.values_list("name", flat=True))
    new = [(place, info) for place, info in enumerate(found) if info.name not in known]
    Column.objects.bulk_create(
        [discovery.new_column(model, info, place, taken) for place, info in new], ignore_conflicts=True
    )


def rows_json(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Rows in JSON: column names once, and values in words where JSON has no type for them."""
    found = list(rows)
    columns = list(found[0]) if found else []
    return {"columns": columns, "rows": [[plain(row[name]) for name in columns] for row in found]}


def plain(value: Any, depth: int = 0) -> Any:
    """A value in JSON, in words where JSON has no type for it."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, list | tuple) and depth < DEEPEST:
        return [plain(item, depth + 1) for item in value]
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    # Half a character can be stored as JSON, and sent to nobody.
    return _said(value).encode("utf-8", "replace").decode()


def _said(value: Any) -> str:
    try:
        return str(value)
    except RecursionError:
        return "…"


urlpatterns = [
    path("sources/<int:pk>/tables/", SourceTables.as_view(), name="source-tables"),
    path("sources/<int:pk>/sample/", SourceSample.as_view(), name="source-sample"),
    path("sources/<int:pk>/columns/", SourceColumns.as_view(), name="source-columns"),
    path("sources/<int:pk>/rows/", SourceRows.as_view(), name="source-rows"),
    path("models/<int:pk>/columns/", ModelColumns.as_view(), name="model-columns"),
    path("models/<int:pk>/preview/", ModelPreview.as_view(), name="model-preview"),
    path("segments/<int:pk>/columns/", SegmentColumns.as_view(), name="segment-columns"),
]
