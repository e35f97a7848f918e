"""JSON that the page of a computed field asks for: what its definition can name, and the first rows with its values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from rest_framework.response import Response

from core.errors import Misconfigured
from core.web.endpoints import Endpoint, number
from segments.conditions import computed_fields
from segments.conditions.scope_from_db import model_scope
from segments.integrity import computed_fields as formulas
from segments.models import ComputedField, DataModel
from segments.reading import read
from segments.screens.segment_api import facts_json, look_of
from segments.screens.source_api import PREVIEW_ROWS, rows_json

if TYPE_CHECKING:
    from rest_framework.request import Request

    from segments.conditions.computed_fields import Formula

SHOWN_COLUMNS = 6
NEW = "new field"


class ComputedFacts(Endpoint):
    """`?field=`: what the definition of a field, or of a new one, can name."""

    permissions = ("segments.view_datamodel",)

    def get(self, request: Request, pk: int) -> Response:
        model = get_object_or_404(DataModel, pk=pk)
        about = computed_fields.definition_scope(model_scope(model), str(request.query_params.get("field") or ""))
        ids = dict(DataModel.objects.filter(source=model.source).values_list("name", "pk"))
        world = {
            name: {**facts_json(other), "id": ids[name]} for name, other in {**about.models, about.name: about}.items()
        }
        return Response({"model": model.name, "models": world, "problem": ""})


class ComputedSaid(Endpoint):
    """POST `name`, `field` (its number, where it is saved), `definition`: what it is in words; the source is not asked."""

    permissions = ("segments.view_datamodel",)

    def post(self, request: Request, pk: int) -> Response:
        field, formula = asked(request, get_object_or_404(DataModel, pk=pk))
        return Response(
            {"sentence": f"{field.name}: {computed_fields.in_words(formula)}.", "sql": _sql(field, formula)}
        )


class ComputedPreview(Endpoint):
    """The same: the first rows with the values of the field. With `page` and `number` as a segment's preview."""

    permissions = ("segments.view_datamodel",)

    def post(self, request: Request, pk: int) -> Response:
        field, formula = asked(request, get_object_or_404(DataModel, pk=pk))
        selection, columns = _selected(field, formula)
        rows = read.preview(selection, now=timezone.now(), limit=PREVIEW_ROWS, columns=columns, check=look_of(request))
        return Response(rows_json(rows))


def asked(request: Request, model: DataModel) -> tuple[ComputedField, Formula]:
    """The unsaved field that a page asks about.

    Raises:
        Misconfigured: it can't be worked out.
    """
    definition, saved = request.data.get("definition"), number(request.data.get("field"))
    if not isinstance(definition, Mapping):
        raise Misconfigured("computed_invalid", "Say what is to be worked out.", where="definition")
    field = ComputedField.objects.filter(model=model, pk=saved).first() or ComputedField(model=model)
    about = computed_fields.definition_scope(model_scope(model), field.name)
    field.name, field.definition = str(request.data.get("name") or "").strip() or NEW, dict(definition)
    formula = computed_fields.parse(field.definition, about)
    field.type = computed_fields.type_of(formula, about)
    return field, formula


def _selected(field: ComputedField, formula: Formula) -> tuple[read.Selection, list[str]]:
    """The rows of its model, and the columns that make its values plain: what names a row, the field, and what it looks at."""
    selection = read.Selection(field.model, {}, computed=formulas.planned(field))
    types = {name: column_type for name, column_type in field.model.column_types().items() if name != field.name}
    naming = [name for name, column_type in types.items() if column_type == "text"][:1]
    looked_at = [name for name in types if name in computed_fields.columns_used(formula)]
    return selection, list(dict.fromkeys([field.model.primary_key, *naming, field.name, *looked_at]))[:SHOWN_COLUMNS]


def _sql(field: ComputedField, formula: Formula) -> str:
    selection, columns = _selected(field, formula)
    return read.sql(selection, now=timezone.now(), columns=columns)


urlpatterns: list[Any] = [
    path("models/<int:pk>/computed/", ComputedFacts.as_view(), name="computed-facts"),
    path("models/<int:pk>/computed/said/", ComputedSaid.as_view(), name="computed-said"),
    path("models/<int:pk>/computed/preview/", ComputedPreview.as_view(), name="computed-preview"),
]
