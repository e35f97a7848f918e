"""PURE. The configuration of an activation in one shape, whether it is saved, in a form or in a workspace file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from activations.setup.identity import Identity

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from destinations.contract import Service


@dataclass(frozen=True)
class MappingSpec:
    """One field mapping: an attribute, and the column, the template of columns or the fixed value that feeds it."""

    target: str
    column: str = ""
    value: Any = None
    custom_attribute: bool = False
    country: str = ""
    template: str = ""
    rounds: bool = False
    policy: str = "always"


@dataclass(frozen=True)
class AttachSpec:
    """Which people are attached.

    Args:
        model: the name of the model of people.
        columns: the type of each of its columns by name.
        company_column: the column that holds the key of the record that a person belongs to.
        found_by: the column of each attribute that finds a person at the destination.
        at_most: how many people are attached to one record.
    """

    model: str
    columns: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    company_column: str = ""
    found_by: Mapping[str, str] = field(default_factory=dict)
    at_most: int = 1


@dataclass(frozen=True)
class ActivationSpec:
    """Everything about an activation that the rules check.

    Args:
        platform: the slug of the connection's platform.
        workspace: the vendor's ID of the connection's workspace; "" if it is not known yet.
        model: the model's ID, or its name in a workspace file.
        attach: the people that are attached to hidden records; None if nobody is.
        columns: the type of each column by name, computed fields included.
        computed: the columns that are computed fields, which can't identify records.
    """

    service: Service
    platform: str
    model_kind: str
    mode: str
    columns: Mapping[str, str]
    match_column: str
    match_field: str
    mappings: Sequence[MappingSpec] = ()
    computed: Collection[str] = ()
    workspace: str = ""
    model: int | str | None = None
    primary_key: str = ""
    attach: AttachSpec | None = None

    def identity(self, workspace: str | None = None) -> Identity:
        """What identifies its records. `workspace`, if given, replaces the workspace stored on the connection."""
        return Identity(
            workspace=self.workspace if workspace is None else workspace,
            service=self.service.slug,
            model=self.model,
            key=self.primary_key,
            match=(self.match_column, self.match_field),
        )
