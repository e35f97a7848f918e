"""JSON endpoints that read a source live: tables, columns and first rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from rest_framework.response import Response

from core.audit import recording
from core.errors import Problem
from core.web.api.schema import described
from core.web.endpoints import Endpoint
from segments.models import Column, DataModel, Segment, Source
from segments.reading import read, superseding
from segments.screens.answers import segments as answers
from segments.screens.record_values import PERMISSION
from segments.sources import discovery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from rest_framework.request import Request

    from segments.contract import ColumnInfo

PREVIEW_ROWS = 20
SAMPLE_ROWS = 5
PAGE_LENGTH = 60
MAX_DEPTH = 20
"""Lists nested deeper than this become text."""


class SourceState(Endpoint):
    """Whether a source works, by its last test or run. Does not read it."""

    permissions = ("segments.view_source",)

    @described(answers.SourceAnswer)
    def get(self, request: Request, pk: int) -> Response:
        source = get_object_or_404(Source.objects.defer("secrets"), pk=pk)
        return Response({"id": source.pk, "name": source.name, "engine": source.engine, **source.health_facts()})


class SourceTables(Endpoint):
    """The tables and views of a source."""

    permissions = ("segments.view_source",)

    @described(answers.TablesAnswer)
    def get(self, request: Request, pk: int) -> Response:
        return Response({"tables": discovery.tables(get_object_or_404(Source, pk=pk))})


class SourceSample(Endpoint):
    """`?table=`: the columns and first rows of a table."""

    permissions = ("segments.view_source", "segments.view_datamodel", PERMISSION)

    @described(answers.SampleAnswer, query={"table": "The name of a table."})
    def get(self, request: Request, pk: int) -> Response:
        infos, rows = discovery.sample(get_object_or_404(Source, pk=pk), str(request.query_params.get("table") or ""))
        return Response({"names": [info.name for info in infos], **rows_json(rows)})


class SourceColumns(Endpoint):
    """POST `table` or `sql`: its columns."""

    permissions = ("segments.view_source", "segments.view_datamodel")

    @described(answers.ColumnsAnswer, body=answers.TableOrSQL)
    def post(self, request: Request, pk: int) -> Response:
        source = get_object_or_404(Source, pk=pk)
        columns = discovery.discover(source, **_table_or_sql(request), seconds=settings.SOURCE_PREVIEW_SECONDS)
        return Response(
            {"columns": [{"name": column.name, "type": column.type, "native": column.native} for column in columns]}
        )


class SourceRows(Endpoint):
    """POST `table` or `sql`: its first rows, before a model exists."""

    permissions = ("segments.view_source", "segments.view_datamodel", PERMISSION)

    @described(answers.Rows, body=answers.TableOrSQL)
    def post(self, request: Request, pk: int) -> Response:
        model = DataModel(source=get_object_or_404(Source, pk=pk), **_table_or_sql(request))
        selection, check = read.selection(model), cancellation_check(request)
        return Response(rows_json(read.preview(selection, now=timezone.now(), limit=SAMPLE_ROWS, check=check)))


class ModelColumns(Endpoint):
    """The current columns of a model. If the source fails: the stored columns and the reason."""

    permissions = ("segments.view_datamodel",)

    @described(answers.ModelColumnsAnswer)
    def get(self, request: Request, pk: int) -> Response:
        return Response(columns_json(get_object_or_404(DataModel, pk=pk), store=may_store(request)))


class SegmentColumns(Endpoint):
    """The columns of a segment's model."""

    permissions = ("segments.view_segment", "segments.view_datamodel")

    @described(answers.ModelColumnsAnswer)
    def get(self, request: Request, pk: int) -> Response:
        segment = get_object_or_404(Segment.objects.select_related("model"), pk=pk)
        return Response(columns_json(segment.model, store=may_store(request)))


class ModelPreview(Endpoint):
    """The first rows of a model."""

    permissions = ("segments.view_datamodel", PERMISSION)

    @described(answers.Rows)
    def get(self, request: Request, pk: int) -> Response:
        selection = read.selection(get_object_or_404(DataModel, pk=pk))
        check = cancellation_check(request)
        return Response(rows_json(read.preview(selection, now=timezone.now(), limit=PREVIEW_ROWS, check=check)))


def cancellation_check(request: Request) -> Callable[[], None]:
    """Returns a function that raises `Superseded` once the person has sent a newer request from the same page.

    A request that does not name its page is the next one of all such requests to this address.
    """
    page, number = request.data.get("page"), request.data.get("number")
    named = isinstance(page, str) and 0 < len(page) <= PAGE_LENGTH
    numbered = isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 2**31
    if named and numbered:
        return superseding.register(superseding.page_of(request.user.pk, page), number)
    return superseding.register(superseding.page_of(request.user.pk, request.path[-PAGE_LENGTH:]))


def may_store(request: Request) -> bool:
    """Whether what a page reads from the source may be stored in the model: for whoever may change models."""
    return bool(request.user.has_perm("segments.change_datamodel"))


def _table_or_sql(request: Request) -> dict[str, str]:
    """Returns the `table` and `sql` of a request.

    Raises:
        PermissionDenied: `sql` from a user who can't create or change models. Without this check, anyone who can view
            models could run arbitrary queries.
    """
    values = {name: str(request.data.get(name) or "") for name in ("table", "sql")}
    if values["sql"] and not any(request.user.has_perm(f"segments.{verb}_datamodel") for verb in ("add", "change")):
        raise PermissionDenied
    return values


def columns_json(model: DataModel, *, store: bool) -> answers.ModelColumnsAnswer:
    """Returns the current columns of a model, with the types stored in the model.

    If the source fails, returns the stored columns and the reason as `problem`.

    Args:
        store: add columns that are new to the model. Otherwise, they are only shown.
    """
    problem = ""
    try:
        discovered = discovery.discover(
            model.source, table=model.table, sql=model.sql, seconds=settings.SOURCE_PREVIEW_SECONDS
        )
        new = new_columns(model, discovered)
        if store and new:
            with recording(model):
                Column.objects.bulk_create(new, ignore_conflicts=True)
        stored = {**{column.source_name: column for column in new}, **model.source_columns()}
        current = [(stored[info.name], info.native) for info in discovered]
        columns = [
            *(_column_json(column, native) for column, native in current if column.used),
            *map(_column_json, model.computed_fields()),
        ]
    except Problem as error:
        problem, columns = error.message, stored_columns(model)
    return {
        "model": model.pk,
        "kind": model.kind,
        "primary_key": model.primary_key,
        "columns": columns,
        "problem": problem,
    }


def stored_columns(model: DataModel) -> list[answers.ColumnAnswer]:
    """Returns the columns of a model as they were last discovered."""
    return [_column_json(column, column.native) for column in model.columns.filter(used=True)]


def _column_json(column: Column, native: str = "") -> answers.ColumnAnswer:
    values: answers.ColumnAnswer = {"name": column.name, "type": column.type, "native": native}
    return {**values, "computed": True} if column.definition else values


def new_columns(model: DataModel, discovered: Sequence[ColumnInfo]) -> list[Column]:
    """Returns the columns that are new to the model, not stored yet.

    Known columns keep their stored type. The types of a file are guessed from its values and may differ each time.
    """
    known, taken = model.source_columns(), set(model.columns.values_list("name", flat=True))
    new = [(place, info) for place, info in enumerate(discovered) if info.name not in known]
    return [discovery.new_column(model, info, place, taken) for place, info in new]


def rows_json(rows: Iterable[Mapping[str, Any]]) -> answers.Rows:
    """Returns rows as JSON, with the column names only once. Values that JSON has no type for become text."""
    listed = list(rows)
    columns = list(listed[0]) if listed else []
    return {"columns": columns, "rows": [[json_value(row[name]) for name in columns] for row in listed]}


def json_value(value: Any, depth: int = 0) -> Any:
    """Returns a value as JSON. Only nulls, booleans and lists keep their type: JavaScript would round large numbers."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, list | tuple) and depth < MAX_DEPTH:
        return [json_value(item, depth + 1) for item in value]
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    # A lone surrogate such as \ud800 is valid in stored JSON, but can't be encoded as UTF-8 in a response.
    return _text(value).encode("utf-8", "replace").decode()


def _text(value: Any) -> str:
    try:
        return str(value)
    except RecursionError:
        return "…"


urlpatterns = [
    path("sources/<int:pk>/", SourceState.as_view(), name="source"),
    path("sources/<int:pk>/tables/", SourceTables.as_view(), name="source-tables"),
    path("sources/<int:pk>/sample/", SourceSample.as_view(), name="source-sample"),
    path("sources/<int:pk>/columns/", SourceColumns.as_view(), name="source-columns"),
    path("sources/<int:pk>/rows/", SourceRows.as_view(), name="source-rows"),
    path("models/<int:pk>/columns/", ModelColumns.as_view(), name="model-columns"),
    path("models/<int:pk>/preview/", ModelPreview.as_view(), name="model-preview"),
    path("segments/<int:pk>/columns/", SegmentColumns.as_view(), name="segment-columns"),
]
