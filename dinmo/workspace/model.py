"""PURE. What a workspace consists of, in one form for both sides: read from a file, or from the database."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, kw_only=True)
class Thing:
    """Something with a name, which is its identity.

    Args:
        lines: where the file says what; "" is the thing itself.
    """

    noun: ClassVar[str]
    name: str
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)

    def line(self, key: str = "") -> int:
        """The line of a part, or of the thing where the part is not written."""
        return self.lines.get(key, self.lines.get("", 1))

    def says(self, key: str) -> bool:
        """Whether the file says anything of a part."""
        return key in self.lines

    def facts(self) -> dict[str, Any]:
        """Everything that makes it what it is, under the names that a person knows."""
        return {item.name: getattr(self, item.name) for item in fields(self) if item.name not in ("name", "lines")}


@dataclass(frozen=True, kw_only=True)
class Source(Thing):
    noun: ClassVar[str] = "source"
    engine: str
    timezone: str = "UTC"
    config: Mapping[str, Any]
    secrets: Mapping[str, Any] = field(repr=False)

    def facts(self) -> dict[str, Any]:
        return {"engine": self.engine, "timezone": self.timezone, **_given(self.config), **_given(self.secrets)}


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column as the source has it (`origin` where the model names it otherwise), and as the model shows it."""

    name: str
    type: str
    origin: str = ""
    used: bool = True
    categorical: bool = False
    native: str = ""
    nullable: bool = True


@dataclass(frozen=True, kw_only=True)
class Computed:
    """A column that is worked out by its `definition`, as `segments.conditions.computed_fields` reads it; its type follows from that."""

    name: str
    type: str = field(default="", compare=False)
    definition: Mapping[str, Any]
    line: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class Model(Thing):
    noun: ClassVar[str] = "model"
    source: str
    kind: str = "custom"
    table: str = ""
    sql: str = ""
    primary_key: str
    columns: tuple[Column, ...] = ()
    computed: tuple[Computed, ...] = ()

    def types(self) -> dict[str, str]:
        """Column name → type, computed fields among them."""
        return {**self.source_types(), **{one.name: one.type for one in self.computed}}

    def source_types(self) -> dict[str, str]:
        """The same of the columns of the source."""
        return {column.name: column.type for column in self.columns if column.used}

    def definitions(self) -> dict[str, Mapping[str, Any]]:
        """The definitions of its computed fields."""
        return {one.name: one.definition for one in self.computed}

    def facts(self) -> dict[str, Any]:
        return {**super().facts(), "computed": list(self.definitions().items())}


@dataclass(frozen=True, kw_only=True)
class Relation(Thing):
    """Its name is `Model.column → Model.column`: it is nothing but its ends."""

    noun: ClassVar[str] = "relation"
    model: str
    column: str
    to_model: str
    to_column: str


@dataclass(frozen=True, kw_only=True)
class Segment(Thing):
    noun: ClassVar[str] = "segment"
    model: str
    where: Mapping[str, Any] = field(default_factory=dict)
    limit: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Connection(Thing):
    noun: ClassVar[str] = "connection"
    platform: str
    config: Mapping[str, Any]
    secrets: Mapping[str, Any] = field(repr=False)

    def facts(self) -> dict[str, Any]:
        return {"platform": self.platform, **_given(self.config), **_given(self.secrets)}


@dataclass(frozen=True, kw_only=True)
class Destination(Thing):
    noun: ClassVar[str] = "destination"
    connection: str
    service: str


@dataclass(frozen=True, kw_only=True)
class FieldMapping:
    """One attribute at the destination and where its value comes from."""

    target: str
    column: str = ""
    value: Any = None
    when_empty: str = "keep"
    multi: str = "replace"
    custom_attribute: bool = False


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """When runs start: `every` with `unit`, `cron`, or `days` with `at` ("HH:MM")."""

    kind: str
    every: int | None = None
    unit: str = "minutes"
    cron: str = ""
    days: tuple[str, ...] = ()
    at: str = ""
    timezone: str = "UTC"


@dataclass(frozen=True, kw_only=True)
class Warnings:
    """When a run warns, and who hears of it."""

    enabled: bool = True
    rejected_percent: int = 5
    invalid_percent: int = 5
    size_change_percent: int = 30
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Activation(Thing):
    noun: ClassVar[str] = "activation"
    segment: str = ""
    model: str = ""
    destination: str
    mode: str
    match_column: str
    match_field: str
    mappings: tuple[FieldMapping, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    warnings: Warnings = Warnings()
    backfill: str = "all"
    paused: bool = False

    def facts(self) -> dict[str, Any]:
        plain = ("segment", "model", "destination", "mode", "backfill", "paused")
        facts = {name: getattr(self, name) for name in plain}
        facts["schedules"] = sorted(self.schedules, key=repr)
        facts |= {"match.from": self.match_column, "match.to": self.match_field}
        facts |= {f"warnings.{item.name}": getattr(self.warnings, item.name) for item in fields(self.warnings)}
        facts["fields"] = tuple(row.target for row in self.mappings)
        for row in self.mappings:
            block = "custom_attributes" if row.custom_attribute else "fields"
            facts[f"{block}.{row.target}"] = row
        return facts


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """All things by name, in the order in which they build on one another."""

    sources: Mapping[str, Source] = field(default_factory=dict)
    models: Mapping[str, Model] = field(default_factory=dict)
    relations: Mapping[str, Relation] = field(default_factory=dict)
    segments: Mapping[str, Segment] = field(default_factory=dict)
    connections: Mapping[str, Connection] = field(default_factory=dict)
    destinations: Mapping[str, Destination] = field(default_factory=dict)
    activations: Mapping[str, Activation] = field(default_factory=dict)

    def things(self) -> Iterator[Thing]:
        """Every thing, what others build on first."""
        for item in fields(self):
            yield from getattr(self, item.name).values()

    def over(self, standing: Workspace) -> Workspace:
        """What the workspace is once this has been applied to what stands."""
        return Workspace(
            **{item.name: {**getattr(standing, item.name), **getattr(self, item.name)} for item in fields(self)}
        )


def _given(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value not in (None, "")}
