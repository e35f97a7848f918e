"""JSON endpoints of the search: stored records and objects by name, and rows of the sources on request."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django.urls import path, reverse
from django.utils import timezone
from rest_framework.response import Response

from activations.models import Activation
from activations.screens.answers import programs as answers
from activations.screens.run.rows import timeline as address
from activations.screens.timeline import found_records
from activations.screens.timeline.record_page import LIVE, PERMISSION
from core.errors import Problem
from core.text.folding import folded
from core.web.api.schema import described
from core.web.endpoints import Endpoint
from destinations.models import Connection, Destination
from segments.models import DataModel, Segment, Source
from segments.reading import one_row
from segments.screens.record_values import may_see_values
from segments.screens.source_api import cancellation_check

if TYPE_CHECKING:
    from django.db.models import Model
    from rest_framework.request import Request

SHORTEST, LONGEST = 2, 200
MOST_RECORDS, MOST_OBJECTS = 8, 5
SOURCE_SECONDS = 5.0
"""In which the sources are searched. No further model is begun after this time."""


@dataclass(frozen=True)
class Kind:
    """A kind of object that is found by a part of its name."""

    label: str
    model: type[Model]
    icon: str

    @property
    def name(self) -> str:
        return f"{self.model._meta.app_label}_{self.model._meta.model_name}"

    @property
    def permission(self) -> str:
        return f"{self.model._meta.app_label}.view_{self.model._meta.model_name}"


KINDS = (
    Kind("Activations", Activation, "sync"),
    Kind("Segments", Segment, "filter_alt"),
    Kind("Models", DataModel, "table"),
    Kind("Sources", Source, "database"),
    Kind("Connections", Connection, "cable"),
    Kind("Destinations", Destination, "outbox"),
)


class Search(Endpoint):
    """`?q=`: objects whose name contains the text, and records that begin with it. Reads no source."""

    permissions: ClassVar[tuple[str, ...]] = ()

    @described(answers.SearchAnswer, query={"q": "The text to search for."})
    def get(self, request: Request) -> Response:
        text = text_of(request)
        if len(text) < SHORTEST and not text.isdigit():
            return Response({"groups": [], "may_search_sources": False})
        groups = [*_records(request, text), *_objects(request, text)]
        return Response({"groups": groups, "may_search_sources": request.user.has_perms((PERMISSION, *LIVE))})


class SearchSources(Endpoint):
    """POST `q`: rows of the models in use that contain the text, or have it as their key.

    `page` and `number` work as in `SegmentPreview`.
    """

    permissions = (PERMISSION, *LIVE)

    @described(answers.SourceSearchAnswer, body=answers.SourceSearchRequest)
    def post(self, request: Request) -> Response:
        text, check = str(request.data.get("q") or "").strip()[:LONGEST], cancellation_check(request)
        began, items, problems = time.monotonic(), [], []
        for model, columns in searched_models():
            if not text or time.monotonic() - began > SOURCE_SECONDS:
                problems.append(f"{model}: not searched, because the search took too long.")
                continue
            try:
                rows = one_row.find(model, text, columns, now=timezone.now(), check=check)
            except Problem as problem:
                problems.append(f"{model}: {problem.message}")
                continue
            items += [_row(model, row) for row in rows]
        return Response({"items": items, "problems": problems})


def text_of(request: Request) -> str:
    """The text to search for."""
    return str(request.query_params.get("q") or "").replace("\0", "").strip()[:LONGEST]


def searched_models() -> list[tuple[DataModel, list[str]]]:
    """The models that activations use, each with the columns that people know its rows by."""
    activations = Activation.objects.select_related("model__source", "segment__model__source")
    columns: dict[DataModel, list[str]] = {}
    for activation in activations.prefetch_related("model__columns", "segment__model__columns").order_by("pk"):
        model = activation.data_model
        names = columns.setdefault(model, [name] if (name := _naming(model)) else [])
        names.append(activation.match_column)
    return list(columns.items())


def _records(request: Request, text: str) -> list[dict[str, Any]]:
    if not request.user.has_perm(PERMISSION):
        return []
    found = found_records.records(text, MOST_RECORDS, sees=may_see_values(request.user))
    names = dict(DataModel.objects.filter(pk__in={one.model for one in found}).values_list("pk", "name"))
    items = [
        {
            "title": one.name or one.key,
            "note": " · ".join(filter(None, [names[one.model], one.key if one.name else "", one.what])),
            "url": address(one.model, one.key),
            "icon": "receipt_long",
        }
        for one in found
        if one.model in names
    ]
    return [{"label": "Records", "items": items}] if items else []


def _objects(request: Request, text: str) -> list[dict[str, Any]]:
    groups = []
    for kind in KINDS:
        if not request.user.has_perm(kind.permission):
            continue
        names = kind.model._default_manager.values_list("pk", "name")
        rows = [(pk, name) for pk, name in names if folded(text) in folded(name)][:MOST_OBJECTS]
        items = [
            {"title": name, "note": "", "url": reverse(f"admin:{kind.name}_change", args=[pk]), "icon": kind.icon}
            for pk, name in rows
        ]
        if items:
            groups.append({"label": kind.label, "items": items})
    return groups


def _row(model: DataModel, row: dict[str, Any]) -> dict[str, Any]:
    key = str(row[model.primary_key])
    name = str(row.get(_naming(model)) or "")
    others = [str(value) for column, value in row.items() if value and column not in _shown(model)]
    note = " · ".join([str(model), *([key] if name else []), *others])
    return {"title": name or key, "note": note, "url": address(model.pk, key), "icon": "database"}


def _shown(model: DataModel) -> tuple[str, str]:
    return model.primary_key, _naming(model)


def _naming(model: DataModel) -> str:
    """The column that names a row: the display column, or else the first text column, which is usually a name."""
    texts = (column.name for column in model.columns.all() if column.used and column.type == "text")
    return model.display_column or next((name for name in texts if name != model.primary_key), "")


urlpatterns: list[Any] = [
    path("search/", Search.as_view(), name="search"),
    path("search/source/", SearchSources.as_view(), name="search-source"),
]
