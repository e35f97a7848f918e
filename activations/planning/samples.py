"""PURE. What a field mapping would send for sample rows, or why it could not: with the converter of real runs.

columns = SampleColumns({"name": ColumnType.TEXT, "mrr": ColumnType.NUMBER}, zone)
convert_samples(service, field, SampleMapping(column="mrr"), columns, [{"name": "Acme", "mrr": 12.5}])
→ [Sample(source="12.5", shown="12.5", wire=12.5, is_sent=True)]
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from activations import text_template
from activations.planning.conversion.columns import NOTHING, Converter, is_empty
from activations.planning.conversion.derived import ROUNDED, ColumnText, Derived
from core.errors import Problem, Rejected
from destinations.contract import Origin
from destinations.kit.values.text import clean, plain_text
from segments.contract import ColumnType

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from destinations.contract import Field, Service, Wire

SHOWN_CHARACTERS = 120
CLEAR = "clear"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True)
class SampleMapping:
    """The options of a field mapping, as a person has entered them: a column, a template, or else a fixed value.

    Args:
        is_match: whether it is the match of the activation, which must not be empty.
    """

    column: str = ""
    template: str = ""
    value: Any = None
    when_empty: str = "keep"
    rounds: bool = False
    country: str = ""
    is_match: bool = False


@dataclass(frozen=True)
class SampleColumns:
    """The columns of the model: their types, the source's time zone, and which types its files spell as text."""

    types: Mapping[str, ColumnType]
    zone: ZoneInfo
    spelled: Collection[ColumnType] = ()

    def text(self, name: str) -> ColumnText:
        """How values of the column are written as text."""
        kind = ColumnType(self.types.get(name, ColumnType.TEXT))
        return ColumnText(kind, self.zone, kind in self.spelled)


@dataclass(frozen=True)
class Sample:
    """What would happen with the value of one row.

    Args:
        source: the value of the source as text; "" if it is empty.
        shown: what would be sent, in words; "" if nothing would be.
        wire: the value as it stands in the request, which is JSON.
        is_sent: whether anything would be sent. `wire` may be None to clear the attribute.
        code, problem: why the whole record could not be sent.
    """

    source: str
    shown: str = ""
    wire: Wire = None
    is_sent: bool = False
    code: str = ""
    problem: str = ""


def convert_samples(
    service: Service, field: Field, mapping: SampleMapping, columns: SampleColumns, rows: Sequence[Mapping[str, Any]]
) -> list[Sample]:
    """What a mapping would send for rows of source values (raw ones or natural ones), one sample for each row.

    It raises nothing: a mapping that is not valid has its problem in every sample.
    """
    try:
        made = _Made(service, field, mapping, columns)
    except Problem as problem:
        return [Sample("", code=problem.code, problem=problem.message) for _ in rows]
    return made.samples(rows)


class _Made:
    """A mapping that is ready to convert rows."""

    def __init__(self, service: Service, field: Field, mapping: SampleMapping, columns: SampleColumns) -> None:
        self.service, self.field, self.mapping, self.columns = service, field, mapping, columns
        names = text_template.columns(mapping.template) if mapping.template else [mapping.column]
        if mapping.template:
            text_template.check(mapping.template, columns.types)
        self.texts = {name: columns.text(name) for name in names if name}
        kind = ColumnType(columns.types.get(mapping.column, ColumnType.TEXT))
        rounds = mapping.rounds and (bool(mapping.template) or kind in ROUNDED)
        self.derived = Derived(self.texts, mapping.template, rounds) if mapping.template or rounds else None
        self.converter = Converter(
            service,
            field,
            ColumnType.TEXT if mapping.template else kind,
            columns.zone,
            (lambda: service.empty(field)) if mapping.when_empty == CLEAR and not mapping.is_match else None,
            is_spelled=not mapping.template and kind in columns.spelled,
            country=mapping.country,
        )

    def samples(self, rows: Sequence[Mapping[str, Any]]) -> list[Sample]:
        """One sample for each row. A fixed value is converted once, and templates of all rows are joined together."""
        if not self.texts:
            return [self._sample({}, None, None)] * len(rows)
        nothing: list[str | None] = [None] * len(rows)
        joined = Derived(self.texts, self.mapping.template).of_rows(rows) if self.mapping.template else nothing
        made = self.derived.of_rows(rows) if self.derived else nothing
        return [self._sample(*each) for each in zip(rows, joined, made, strict=True)]

    def _sample(self, row: Mapping[str, Any], joined: str | None, made: str | None) -> Sample:
        source = ""
        try:
            source = _shortened(self._source(row, joined))
            wire = self._wire(row, made)
        except Rejected as problem:
            return Sample(source, code=problem.code, problem=problem.message)
        if wire is NOTHING and self.mapping.is_match:
            message = "This row has no value here, so its record can't be found at the destination."
            return Sample(source, code="match_empty", problem=message)
        if wire is NOTHING:
            return Sample(source)
        return Sample(source, shown(self.service, self.field, wire, self.columns.zone), wire, is_sent=True)

    def _source(self, row: Mapping[str, Any], joined: str | None) -> str:
        if not self.texts:
            return "" if is_empty(self.mapping.value) else plain_text(self.mapping.value)
        if self.mapping.template:
            return joined or ""
        (name,) = self.texts
        return self.texts[name].of(row.get(name))

    def _wire(self, row: Mapping[str, Any], made: str | None) -> Any:
        if not self.texts:
            return self._fixed()
        return self.converter.wire(made if self.derived else row.get(self.mapping.column))

    def _fixed(self) -> Any:
        if not is_empty(self.mapping.value):
            origin = Origin(self.columns.zone, country=self.mapping.country)
            return self.service.convert(self.field, self.mapping.value, origin)
        return self.converter.empty() if self.converter.empty else NOTHING


def shown(service: Service, field: Field, wire: Wire, zone: ZoneInfo) -> str:
    """A wire value in words for people: the title of an option, a time on the clocks of `zone`, parts with commas."""
    if wire is None or wire in ("", [], {}):
        return "nothing: the attribute is cleared"
    form = service.plain(field, ColumnType.TIMESTAMP)
    if form and form.form == "seconds" and isinstance(wire, int) and not isinstance(wire, bool):
        return _moment(datetime.fromtimestamp(wire, UTC), zone)
    return _shortened(_words(wire, {option.id: option.title for option in field.options}, zone))


def _words(wire: Wire, titles: Mapping[str, str], zone: ZoneInfo) -> str:
    if isinstance(wire, list):
        return ", ".join(_words(item, titles, zone) for item in wire)
    if isinstance(wire, dict):
        parts = {name: part for name, part in wire.items() if part not in (None, "", [], {})}
        if len(parts) == 1:
            return _words(next(iter(parts.values())), titles, zone)
        return ", ".join(f"{name.replace('_', ' ')}: {_words(part, titles, zone)}" for name, part in parts.items())
    if isinstance(wire, str):
        return _text(titles.get(wire, wire), zone)
    return plain_text(wire)


def _text(text: str, zone: ZoneInfo) -> str:
    try:
        if _MOMENT.fullmatch(text):
            return _moment(datetime.fromisoformat(text), zone)
        if _DAY.fullmatch(text):
            return _day(date.fromisoformat(text))
    except ValueError:
        return text
    return text


def _moment(time: datetime, zone: ZoneInfo) -> str:
    local = time.astimezone(zone)
    return f"{_day(local)}, {local:%H:%M}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b} {day.year}"


def _shortened(text: str) -> str:
    cleaned = clean(text)
    return cleaned if len(cleaned) <= SHOWN_CHARACTERS else cleaned[: SHOWN_CHARACTERS - 1] + "…"
