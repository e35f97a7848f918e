"""The JSON endpoints of the editor: what a mapping would send, suggestions, the match, and drafts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import path, reverse
from django.utils import timezone
from rest_framework.response import Response

from activations.planning.samples import SampleMapping, convert_samples
from activations.screens.answers import editor as answers
from activations.screens.editor import mapping_request, row_samples, sample_rows, suggestions, words
from activations.screens.editor.drafts import DraftRow, DraftStore
from activations.setup import writers_from_db
from core.errors import Problem
from core.web.api.schema import described
from core.web.endpoints import Endpoint
from destinations import discovery
from destinations.contract import NewField
from destinations.registry import services
from segments.reading import profiles, read
from segments.screens.record_values import PERMISSION, may_see_values
from segments.screens.source_api import cancellation_check

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rest_framework.request import Request

    from activations.planning.samples import SampleColumns
    from activations.screens.editor.mapping_request import MappingRequest
    from activations.setup.writers import Shared
    from destinations.contract import Field, Service

ENOUGH = 0.5
"""The share of the values of a column that an attribute must accept for a suggestion."""
SUGGESTION_ROWS = 20
MOST_SUGGESTIONS = 30
MOST_SHARED = 3
"""How many other activations a row names."""


class MappingSamples(Endpoint):
    """POST the mapping, saved or not: what each row would send for sample rows, what is wrong, and suggestions.

    Queries the source at most once in five minutes for the same data. The vendor is asked only if its attributes have
    never been read.
    """

    permissions = ("activations.view_activation", "segments.view_datamodel", "destinations.view_destination")

    @described(answers.MappingAnswer, body=answers.MappingBody)
    def post(self, request: Request) -> Response:
        wanted = mapping_request.parse(request.data)
        service = services[wanted.destination.service]
        may_store = request.user.has_perm("destinations.change_destination")
        fields = discovery.fields(wanted.destination, timezone.now(), store=may_store).fields
        columns, shared = wanted.columns(), shared_facts(wanted)
        if not may_see_values(request.user):
            return _without_samples("There are no examples, because you may not see record values.", shared)
        try:
            rows = sample_rows.sample(wanted.rows, list(columns.types), cancellation_check(request))
        except Problem as problem:
            if problem.code == "superseded":
                raise
            return _without_samples(problem.message, shared)
        mapped = _Mapping(service, {field.name: field for field in fields}, columns, rows)
        return Response(
            {
                "problem": "",
                "shared": shared,
                "sampled": len(rows),
                "match": mapped.match(wanted),
                "rows": [mapped.row(row.place, row.target, row.mapping) for row in wanted.fields],
                "custom": custom_facts(service, fields, columns),
                "suggestions": mapped.suggestions(wanted),
            }
        )


def _without_samples(problem: str, shared: dict[str, Any]) -> Response:
    return Response({"problem": problem, "shared": shared, "rows": [], "suggestions": [], "custom": {}, "match": None})


class MatchProfile(Endpoint):
    """POST `records` and `column`: how many rows have the match empty, and how many share a value, in words."""

    permissions = ("activations.view_activation", "segments.view_datamodel", PERMISSION)

    @described(answers.MatchAnswer, body=answers.MatchBody)
    def post(self, request: Request) -> Response:
        rows = mapping_request.selected(request.data.get("records"))
        column = str(request.data.get("column") or "")
        found = profiles.profile(
            read.selection(rows), [], now=timezone.now(), match=column, check=cancellation_check(request)
        )
        return Response({"text": words.match_sentence(found), "rows": found.rows})


class _Mapping:
    """The sample rows on their way to the attributes of a destination."""

    def __init__(
        self,
        service: Service,
        fields: Mapping[str, Field],
        columns: SampleColumns,
        rows: Sequence[Mapping[str, Any]],
    ) -> None:
        self.service, self.fields, self.columns, self.rows = service, fields, columns, rows
        self.first = rows[:SUGGESTION_ROWS]

    def row(self, place: int, target: str, mapping: SampleMapping) -> dict[str, Any]:
        field = self.fields.get(target)
        if field is None or not (mapping.column or mapping.template or mapping.value):
            return {"id": place, "examples": self._plain(mapping), "problem": "", "empty": "", "fix": ""}
        found = row_samples.row_samples(self.service, field, mapping, self.columns, self.rows)
        examples = [{"from": sample.source, "to": sample.shown, "problem": sample.problem} for sample in found.examples]
        return {"id": place, "examples": examples, "problem": found.problem, "empty": found.empty, "fix": found.fix}

    def match(self, wanted: MappingRequest) -> dict[str, Any]:
        """The examples of the match, and a proposal while a person has not chosen it."""
        shown = self.row(0, wanted.match_field, SampleMapping(column=wanted.match_column, is_match=True))
        source = wanted.model.source_types()
        values = {name: [row.get(name) for row in self.first] for name in self.columns.types if name in source}
        proposal = suggestions.propose_match(
            values,
            list(self.fields.values()),
            preferred=self.service.default_match,
            key=wanted.model.primary_key,
            accepts=self.accepts,
        )
        proposed = vars(proposal) if proposal and not wanted.match_column else None
        return {**shown, "proposed": proposed}

    def suggestions(self, wanted: MappingRequest) -> list[dict[str, str]]:
        """The suggestions for attributes and columns that are not mapped yet."""
        used = {row.mapping.column for row in wanted.fields}
        found = suggestions.suggest(
            {name: [row.get(name) for row in self.first] for name in self.columns.types},
            list(self.fields.values()),
            taken={wanted.match_field, *(row.target for row in wanted.fields), *wanted.custom},
            used={wanted.match_column, *used, *wanted.custom},
            accepts=self.accepts,
        )
        return [{**vars(each), "label": self.fields[each.target].label} for each in found[:MOST_SUGGESTIONS]]

    def accepts(self, column: str, field: Field) -> bool:
        """Whether the destination would take most sample values of a column for an attribute."""
        mapping = SampleMapping(column=column)
        samples = convert_samples(self.service, field, mapping, self.columns, self.first)
        return row_samples.accepted_share(samples) >= ENOUGH

    def _plain(self, mapping: SampleMapping) -> list[dict[str, str]]:
        """The first values of a column that has no attribute yet."""
        values = [self.columns.text(mapping.column).of(row.get(mapping.column)) for row in self.rows if mapping.column]
        return [{"from": value, "to": "", "problem": ""} for value in dict.fromkeys(filter(None, values))][:3]


def shared_facts(wanted: MappingRequest) -> dict[str, list[answers.SharedAttribute]]:
    """The attributes that other activations write as well: who does, and whose value stays."""
    found = writers_from_db.shared_by_attribute(wanted.destination, wanted.writer())
    return {name: [shared_json(each) for each in group[:MOST_SHARED]] for name, group in found.items()}


def shared_json(shared: Shared) -> answers.SharedAttribute:
    """What a different activation writes, as the page shows it at a row."""
    page = reverse("admin:activations_activation_change", args=[shared.other.pk])
    return {"name": shared.other.name, "url": page, "words": shared.words(), "conflict": shared.is_conflict}


def custom_facts(service: Service, fields: Sequence[Field], columns: SampleColumns) -> dict[str, Any]:
    """PURE. Of each column: the type of the attribute that it would become, and what prevents it."""
    if not service.creates_fields:
        return {}
    existing = {field.name for field in fields if field.custom}
    facts = {}
    for name, kind in columns.types.items():
        wanted = NewField(name, str(kind))
        problem = next(iter(service.check_new_fields(fields, [wanted])), "")
        facts[name] = {"type": service.new_field(wanted).type_word, "exists": name in existing, "problem": problem}
    return facts


urlpatterns = [
    path("editor/mapping/", MappingSamples.as_view(), name="editor-mapping"),
    path("editor/match/", MatchProfile.as_view(), name="editor-match"),
    path("editor/drafts/", DraftStore.as_view(), name="editor-drafts"),
    path("editor/drafts/<int:pk>/", DraftRow.as_view(), name="editor-draft"),
]
