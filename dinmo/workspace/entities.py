"""PURE. Everything a workspace consists of, in one form for both sides: read from a file, or from the database."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar

from activations.setup.settings import DEFAULTS, SETTINGS
from activations.setup.spec import ActivationSpec, MappingSpec
from destinations.registry import services

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, kw_only=True)
class Entity:
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
class Source(Entity):
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
    """A computed field: a column with a `definition`, as `segments.conditions.computed_fields` reads it.

    Its type follows from the definition.
    """

    name: str
    type: str = field(default="", compare=False)
    definition: Mapping[str, Any]
    line: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class Model(Entity):
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
class Relation(Entity):
    """Its name is `Model.column → Model.column`: it is nothing but its ends."""

    noun: ClassVar[str] = "relation"
    model: str
    column: str
    to_model: str
    to_column: str


@dataclass(frozen=True, kw_only=True)
class Segment(Entity):
    noun: ClassVar[str] = "segment"
    model: str
    where: Mapping[str, Any] = field(default_factory=dict)
    limit: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Connection(Entity):
    noun: ClassVar[str] = "connection"
    platform: str
    config: Mapping[str, Any]
    secrets: Mapping[str, Any] = field(repr=False)
    workspace: str = field(default="", compare=False, repr=False)
    """The vendor's id of its workspace, if it is known."""

    def facts(self) -> dict[str, Any]:
        return {"platform": self.platform, **_given(self.config), **_given(self.secrets)}


@dataclass(frozen=True, kw_only=True)
class Destination(Entity):
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
class Activation(Entity):
    noun: ClassVar[str] = "activation"
    segment: str = ""
    model: str = ""
    destination: str
    mode: str
    match_column: str
    match_field: str
    mappings: tuple[FieldMapping, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=lambda: dict(DEFAULTS))
    """The plain settings by name, as `activations.setup.settings` declares them."""

    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = {name: getattr(self, name) for name in ("segment", "model", "destination", "mode")}
        facts["schedules"] = sorted(self.schedules, key=repr)
        facts |= {"match.from": self.match_column, "match.to": self.match_field}
        facts |= {setting.path: self.settings[setting.name] for setting in SETTINGS}
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

    def entities(self) -> Iterator[Entity]:
        """Every thing, what others build on first."""
        for item in fields(self):
            yield from getattr(self, item.name).values()

    def spec(self, activation: Activation) -> ActivationSpec:
        """The configuration of an activation as the rules take it.

        Raises:
            KeyError: the workspace lacks something that the activation names.
        """
        model = self.models[self.segments[activation.segment].model if activation.segment else activation.model]
        destination = self.destinations[activation.destination]
        connection = self.connections[destination.connection]
        rows = [
            MappingSpec(row.target, row.column, row.value, row.custom_attribute)
            for row in activation.mappings
            if row.target
        ]
        return ActivationSpec(
            service=services[destination.service],
            platform=connection.platform,
            model_kind=model.kind,
            mode=activation.mode,
            columns=model.types(),
            match_column=activation.match_column,
            match_field=activation.match_field,
            mappings=rows,
            computed=list(model.definitions()),
            workspace=connection.workspace,
            model=model.name,
            primary_key=model.primary_key,
        )

    def over(self, standing: Workspace) -> Workspace:
        """What the workspace is once this has been applied to what stands."""
        return Workspace(
            **{item.name: {**getattr(standing, item.name), **getattr(self, item.name)} for item in fields(self)}
        )


def _given(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value not in (None, "")}
