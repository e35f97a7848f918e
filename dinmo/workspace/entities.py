"""PURE. The entities of a workspace, in one shape whether they are read from a file or from the database."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar

from activations.setup.attached.rules import PLACE
from activations.setup.settings import DEFAULTS, SETTINGS
from activations.setup.spec import ActivationSpec, AttachSpec, MappingSpec
from destinations.registry import services
from dinmo.workspace.entity import Entity, without_empty
from dinmo.workspace.kinds.channel import Channel as Channel  # noqa: TC001
from dinmo.workspace.schedule import WEEK as WEEK
from dinmo.workspace.schedule import Schedule as Schedule  # noqa: TC001 - the readers use it at runtime

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from destinations.contract import Field as Attribute


@dataclass(frozen=True, kw_only=True)
class Source(Entity):
    noun: ClassVar[str] = "source"
    engine: str
    timezone: str = "UTC"
    config: Mapping[str, Any]
    secrets: Mapping[str, Any] = field(repr=False)

    def details(self) -> dict[str, Any]:
        return {
            "engine": self.engine,
            "timezone": self.timezone,
            **without_empty(self.config),
            **without_empty(self.secrets),
        }


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a model. `origin` is its name in the source, if the model gives it a different one."""

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
    display: str = ""
    columns: tuple[Column, ...] = ()
    computed: tuple[Computed, ...] = ()

    def types(self) -> dict[str, str]:
        """The type of each column by name, computed fields included."""
        return {**self.source_types(), **{field.name: field.type for field in self.computed}}

    def source_types(self) -> dict[str, str]:
        """The type of each column of the source by name, without computed fields."""
        return {column.name: column.type for column in self.columns if column.used}

    def definitions(self) -> dict[str, Mapping[str, Any]]:
        """The definitions of its computed fields by name."""
        return {field.name: field.definition for field in self.computed}

    def details(self) -> dict[str, Any]:
        return {**super().details(), "computed": list(self.definitions().items())}


@dataclass(frozen=True, kw_only=True)
class Relation(Entity):
    """A relation. Its name is `Model.column → Model.column`, which says everything about it."""

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
    """The vendor's ID of its workspace; "" if it is not known yet."""

    def details(self) -> dict[str, Any]:
        return {"platform": self.platform, **without_empty(self.config), **without_empty(self.secrets)}


@dataclass(frozen=True, kw_only=True)
class Destination(Entity):
    noun: ClassVar[str] = "destination"
    connection: str
    service: str
    known_fields: Sequence[Attribute] = field(default=(), compare=False, repr=False)
    """The fields as last discovered; none if they never were."""

    def details(self) -> dict[str, Any]:
        return {"connection": self.connection, "service": self.service}


@dataclass(frozen=True, kw_only=True)
class FieldMapping:
    """One attribute at the destination, and the column, template of columns or fixed value that it gets."""

    target: str
    column: str = ""
    value: Any = None
    when_empty: str = "keep"
    multi: str = "replace"
    custom_attribute: bool = False
    country: str = ""
    """ISO alpha-2, of national phone numbers."""
    template: str = ""
    rounds: bool = False
    policy: str = "always"


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
    attach: AttachSpec | None = None
    settings: Mapping[str, Any] = field(default_factory=lambda: dict(DEFAULTS))
    """The plain settings by name, as `activations.setup.settings` declares them."""
    is_draft: bool = field(default=False, compare=False, repr=False)

    def details(self) -> dict[str, Any]:
        details: dict[str, Any] = {name: getattr(self, name) for name in ("segment", "model", "destination", "mode")}
        details["schedules"] = sorted(self.schedules, key=repr)
        details |= {"match.from": self.match_column, "match.to": self.match_field}
        details |= {setting.path: self.settings[setting.name] for setting in SETTINGS}
        details[PLACE] = self.attach
        details["fields"] = tuple(row.target for row in self.mappings)
        for row in self.mappings:
            block = "custom_attributes" if row.custom_attribute else "fields"
            details[f"{block}.{row.target}"] = row
        return details


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """All entities by name, in the order in which they depend on each other."""

    sources: Mapping[str, Source] = field(default_factory=dict)
    models: Mapping[str, Model] = field(default_factory=dict)
    relations: Mapping[str, Relation] = field(default_factory=dict)
    segments: Mapping[str, Segment] = field(default_factory=dict)
    connections: Mapping[str, Connection] = field(default_factory=dict)
    destinations: Mapping[str, Destination] = field(default_factory=dict)
    activations: Mapping[str, Activation] = field(default_factory=dict)
    channels: Mapping[str, Channel] = field(default_factory=dict)

    def entities(self) -> Iterator[Entity]:
        """Every entity, those that others depend on first."""
        for item in fields(self):
            yield from getattr(self, item.name).values()

    def spec(self, activation: Activation) -> ActivationSpec:
        """The configuration of an activation in the shape that the rules validate.

        Raises:
            KeyError: the workspace lacks something that the activation names.
        """
        model = self.models[self.segments[activation.segment].model if activation.segment else activation.model]
        destination = self.destinations[activation.destination]
        connection = self.connections[destination.connection]
        rows = [
            MappingSpec(
                row.target,
                row.column,
                row.value,
                row.custom_attribute,
                row.country,
                row.template,
                row.rounds,
                row.policy,
            )
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
            attach=activation.attach and self._with_columns(activation.attach),
        )

    def _with_columns(self, attach: AttachSpec) -> AttachSpec:
        return replace(attach, columns=self.models[attach.model].types())

    def applied_to(self, existing: Workspace) -> Workspace:
        """The workspace after this one has been applied to `existing`."""
        return Workspace(
            **{item.name: {**getattr(existing, item.name), **getattr(self, item.name)} for item in fields(self)}
        )
