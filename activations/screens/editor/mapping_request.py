"""What the editor's page sends about the mapping: the data, the destination, the match and the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from activations.models import FieldMapping
from activations.planning.samples import SampleColumns, SampleMapping
from activations.screens.editor.formsets import parsed_value
from activations.setup import writers_from_db
from activations.setup.writers import Mapped, Writer, policy_of, source_of
from core.errors import Misconfigured
from core.web.endpoints import number
from destinations.models import Destination
from segments.contract import ColumnType
from segments.models import DataModel, Segment
from segments.session import engine, zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MOST_ROWS = 300
MOST_TEMPLATES = 20_000
"""Characters of all templates of a request. Each placeholder is filled for every sample row."""


@dataclass(frozen=True)
class MappingRow:
    """One row of the page: its place, the attribute, what fills it, and how it is written."""

    place: int
    target: str
    mapping: SampleMapping
    policy: str = FieldMapping.Policy.ALWAYS
    multi: str = FieldMapping.Multi.REPLACE


@dataclass(frozen=True)
class MappingRequest:
    """What is mapped.

    Args:
        custom: the columns that become attributes of their own.
        activation: its ID; 0 if it is not saved yet.
        mode: a value of `Mode`; "" if none was chosen yet.
    """

    rows: Segment | DataModel
    destination: Destination
    match_column: str
    match_field: str
    fields: Sequence[MappingRow]
    custom: Sequence[str]
    activation: int = 0
    mode: str = ""

    @property
    def model(self) -> DataModel:
        return self.rows.model if isinstance(self.rows, Segment) else self.rows

    def columns(self) -> SampleColumns:
        """The model's columns, as conversion needs them."""
        types = {name: ColumnType(kind) for name, kind in self.model.column_types().items()}
        return SampleColumns(types, zone(self.model.source), engine(self.model.source).spells)

    def writer(self) -> Writer:
        """What the activation will write."""
        custom = [MappingRow(0, name, SampleMapping(column=name)) for name in self.custom]
        return Writer(
            "",
            self.destination.service,
            writers_from_db.workspace(self.destination.connection),
            tuple(self._mapped(row) for row in (*self.fields, *custom)),
            pk=self.activation,
        )

    def _mapped(self, row: MappingRow) -> Mapped:
        given = row.mapping
        options = (given.rounds, given.country, given.when_empty)
        source = source_of(self.model.pk, given.column, given.template, given.value, *options)
        return Mapped(row.target, source, policy_of(self.mode, row.policy), row.multi == FieldMapping.Multi.ADD)


def parse(data: Mapping[str, Any]) -> MappingRequest:
    """The request of a page.

    Raises:
        Misconfigured: the data or the destination does not exist, or the rows have a different shape.
    """
    given = data.get("rows")
    rows = given if isinstance(given, list) else []
    custom = data.get("custom")
    if len(rows) > MOST_ROWS or not all(isinstance(row, dict) for row in rows):
        raise Misconfigured("mapping_invalid", f"Send at most {MOST_ROWS} rows, each an object.")
    if sum(len(_text(row, "template")) for row in rows) > MOST_TEMPLATES:
        raise Misconfigured("mapping_invalid", f"Send templates of at most {MOST_TEMPLATES:,} characters in total.")
    return MappingRequest(
        rows=selected(data.get("records")),
        destination=chosen_destination(data.get("destination")),
        match_column=_text(data, "match_column"),
        match_field=_text(data, "match_field"),
        fields=list(_rows(rows)),
        custom=[name for name in custom if isinstance(name, str)] if isinstance(custom, list) else [],
        activation=number(data.get("activation")),
        mode=_text(data, "mode"),
    )


def selected(value: Any) -> Segment | DataModel:
    """The segment or model that a value such as `model:3` names. Raises Misconfigured if there is none."""
    kind, _, pk = str(value or "").partition(":")
    found: Segment | DataModel | None = None
    if kind == "segment":
        found = Segment.objects.select_related("model__source").filter(pk=number(pk)).first()
    elif kind == "model":
        found = DataModel.objects.select_related("source").filter(pk=number(pk)).first()
    if found is None:
        raise Misconfigured("records_unknown", "Choose which rows to send first.")
    return found


def chosen_destination(value: Any) -> Destination:
    """The destination with this ID. Raises Misconfigured if there is none."""
    found = Destination.objects.select_related("connection").filter(pk=number(value)).first()
    if found is None:
        raise Misconfigured("destination_unknown", "Choose a destination first.")
    return found


def _rows(rows: Sequence[Mapping[str, Any]]) -> Iterator[MappingRow]:
    for row in rows:
        mapping = SampleMapping(
            column=_text(row, "column"),
            template=_text(row, "template"),
            value=_fixed(_text(row, "fixed")),
            when_empty=_text(row, "when_empty") or "keep",
            rounds=row.get("round_to_whole") is True,
            country=_text(row, "country"),
        )
        yield MappingRow(
            number(row.get("id")), _text(row, "target"), mapping, _text(row, "policy"), _text(row, "multi")
        )


def _fixed(text: str) -> Any:
    """A list that a person wrote as one, or else the text."""
    value = parsed_value(text) if text.startswith("[") else text
    return value if isinstance(value, list) else text


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    return value.strip() if isinstance(value, str) else ""
