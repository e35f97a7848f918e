"""The live check of the editor's section: whether the columns fit, and how many records have known people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import path
from django.utils import timezone
from rest_framework.response import Response

from activations.screens.answers import editor as answers
from activations.screens.editor.mapping_request import chosen_destination, selected
from activations.setup.attached import rules
from activations.setup.spec import ActivationSpec, AttachSpec
from core.errors import Misconfigured
from core.web.api.schema import described
from core.web.endpoints import Endpoint, number
from destinations.registry import services
from segments.models import DataModel, Relation, Segment
from segments.reading import profiles, read
from segments.screens.source_api import cancellation_check

if TYPE_CHECKING:
    from rest_framework.request import Request


class AttachCheck(Endpoint):
    """POST the data, the destination and the section: the model's columns, a proposal, problems, and a sentence.

    Queries the source of the people once, for at most `profiles.MOST_ROWS` rows.
    """

    permissions = ("activations.view_activation", "segments.view_datamodel", "destinations.view_destination")

    @described(answers.AttachAnswer, body=answers.AttachBody)
    def post(self, request: Request) -> Response:
        rows = selected(request.data.get("records"))
        model = rows.model if isinstance(rows, Segment) else rows
        service = services[chosen_destination(request.data.get("destination")).service]
        people = DataModel.objects.select_related("source").filter(pk=number(request.data.get("people"))).first()
        if people is None or service.reveals is None:
            raise Misconfigured("people_unknown", "Choose the model of the people first.")
        columns = people.column_types()
        names = [field.name for field in service.reveals.found_by]
        found_by = {name: text for name in names if (text := _text(request, name))}
        attach = AttachSpec(people.name, columns, _text(request, "company_column"), found_by)
        spec = ActivationSpec(
            service=service,
            platform="",
            model_kind=model.kind,
            mode="",
            columns=model.column_types(),
            match_column="",
            match_field="",
            primary_key=model.primary_key,
            attach=attach,
        )
        found = {problem.where.partition(".")[2]: problem.message for problem in rules.problems(spec)}
        chosen = attach.company_column in columns
        return Response(
            {
                "columns": [{"name": name, "type": str(kind)} for name, kind in columns.items()],
                "proposed": proposal(model, people, names),
                "problems": found if chosen else {},
                "key": f"Compared with “{model.primary_key}”, the primary key of “{model.name}”.",
                "text": _share(request, people, attach.company_column) if chosen and not found else "",
            }
        )


def proposal(model: DataModel, people: DataModel, names: list[str]) -> dict[str, str]:
    """The columns that a person would probably choose, by field: one that relates the models, and those named alike."""
    columns = people.column_types()
    relations = Relation.objects.filter(from_model=people, to_model=model, to_column=model.primary_key)
    related = relations.values_list("from_column", flat=True).first()
    singular = model.name.casefold().removesuffix("ies") + "y" if model.name.casefold().endswith("ies") else ""
    guesses = [related, f"{singular or model.name.casefold().removesuffix('s')}_{model.primary_key}", "company_id"]
    company = next((guess for guess in guesses if guess in columns), "")
    by_name = {name.casefold(): name for name in columns}
    found = {name: by_name.get(name, "") for name in names}
    return {"company_column": company, **found}


def _share(request: Request, people: DataModel, column: str) -> str:
    found = profiles.profile(read.selection(people), [column], now=timezone.now(), check=cancellation_check(request))
    profile = found.columns[column]
    first = "Of the first " if found.is_partial else "Of "
    records = "" if profile.distinct is None else f", {profile.distinct:,} different ones"
    return f"{first}{found.rows:,} people, {profile.filled:,} have a value in “{column}”{records}."


def _text(request: Request, name: str) -> str:
    value: Any = request.data.get(name)
    return value.strip() if isinstance(value, str) else ""


urlpatterns = [path("editor/attach/", AttachCheck.as_view(), name="editor-attach")]
