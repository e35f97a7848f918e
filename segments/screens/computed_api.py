"""JSON endpoints for the page of a computed field: what its definition can refer to, and a preview of its values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from rest_framework.response import Response

from core.errors import Misconfigured
from core.web.api.schema import described
from core.web.endpoints import Endpoint, number
from segments.conditions import computed_fields
from segments.conditions.scope_from_db import model_scope
from segments.integrity import computed_fields as stored_fields
from segments.models import ComputedField, DataModel
from segments.reading import read
from segments.screens.answers import segments as answers
from segments.screens.record_values import PERMISSION
from segments.screens.segment_api import scope_json
from segments.screens.source_api import PREVIEW_ROWS, cancellation_check, rows_json

if TYPE_CHECKING:
    from rest_framework.request import Request

    from segments.conditions.computed_fields import Formula

PREVIEW_COLUMNS = 6
UNNAMED = "new field"


class ComputedScope(Endpoint):
    """`?field=`: what the definition of this field, or of a new one, can refer to: columns and related models."""

    permissions = ("segments.view_datamodel",)

    @described(answers.BuilderAnswer, query={"field": "The name of a computed field that is saved."})
    def get(self, request: Request, pk: int) -> Response:
        model = get_object_or_404(DataModel, pk=pk)
        scope = computed_fields.definition_scope(model_scope(model), str(request.query_params.get("field") or ""))
        ids = dict(DataModel.objects.filter(source=model.source).values_list("name", "pk"))
        scopes = {**scope.models, scope.name: scope}
        models = {name: {**scope_json(other), "id": ids[name]} for name, other in scopes.items()}
        return Response({"model": model.name, "models": models, "problem": ""})


class ComputedSentence(Endpoint):
    """POST `name`, `field` (its ID if it is saved), `definition`: the field as a sentence and as SQL.

    Does not query the source.
    """

    permissions = ("segments.view_datamodel",)

    @described(answers.SentenceAnswer, body=answers.ComputedBody)
    def post(self, request: Request, pk: int) -> Response:
        field, formula = field_from_request(request, get_object_or_404(DataModel, pk=pk))
        return Response(
            {"sentence": f"{field.name}: {computed_fields.in_words(formula)}.", "sql": _sql(field, formula)}
        )


class ComputedPreview(Endpoint):
    """POST, with the same data: the first rows with the values of the field.

    `page` and `number` work as in `SegmentPreview`.
    """

    permissions = ("segments.view_datamodel", PERMISSION)

    @described(answers.Rows, body=answers.ComputedBody)
    def post(self, request: Request, pk: int) -> Response:
        field, formula = field_from_request(request, get_object_or_404(DataModel, pk=pk))
        selection, columns = _selected(field, formula)
        rows = read.preview(
            selection, now=timezone.now(), limit=PREVIEW_ROWS, columns=columns, check=cancellation_check(request)
        )
        return Response(rows_json(rows))


def field_from_request(request: Request, model: DataModel) -> tuple[ComputedField, Formula]:
    """Returns the unsaved field that a request describes.

    Raises:
        Misconfigured: the definition is missing or invalid.
    """
    definition, saved = request.data.get("definition"), number(request.data.get("field"))
    if not isinstance(definition, Mapping):
        raise Misconfigured("computed_invalid", "Define what the field calculates.", where="definition")
    field = ComputedField.objects.filter(model=model, pk=saved).first() or ComputedField(model=model)
    scope = computed_fields.definition_scope(model_scope(model), field.name)
    field.name, field.definition = str(request.data.get("name") or "").strip() or UNNAMED, dict(definition)
    formula = computed_fields.parse(field.definition, scope)
    field.type = computed_fields.type_of(formula, scope)
    return field, formula


def _selected(field: ComputedField, formula: Formula) -> tuple[read.Selection, list[str]]:
    """Returns the rows of the field's model, and the columns that explain its values.

    For example, *big orders* is shown as: the primary key, the first text column (usually a name), the field, and the
    columns that it uses.
    """
    selection = read.Selection(field.model, {}, computed=stored_fields.planned(field))
    types = {name: column_type for name, column_type in field.model.column_types().items() if name != field.name}
    first_text = [name for name, column_type in types.items() if column_type == "text"][:1]
    used = [name for name in types if name in computed_fields.columns_used(formula)]
    return selection, list(dict.fromkeys([field.model.primary_key, *first_text, field.name, *used]))[:PREVIEW_COLUMNS]


def _sql(field: ComputedField, formula: Formula) -> str:
    selection, columns = _selected(field, formula)
    return read.sql(selection, now=timezone.now(), columns=columns)


urlpatterns: list[Any] = [
    path("models/<int:pk>/computed/", ComputedScope.as_view(), name="computed-facts"),
    path("models/<int:pk>/computed/said/", ComputedSentence.as_view(), name="computed-said"),
    path("models/<int:pk>/computed/preview/", ComputedPreview.as_view(), name="computed-preview"),
]
