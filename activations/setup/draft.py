"""A draft of an activation: form values before they are saved, and the problems that the rules find in them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from django.utils import timezone

from activations.setup import rules, spec_from_db
from activations.setup.spec import MappingSpec
from core.errors import Misconfigured, Problem, Rejected
from destinations import discovery
from destinations.contract import Origin
from destinations.registry import services
from segments.session import zone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from activations.models import Activation
    from activations.setup.spec import ActivationSpec, AttachSpec
    from destinations.contract import Field


@dataclass
class Draft:
    """An activation that is not saved yet, validated by the rules.

    Validation uses the fields of the last discovery. Only if these lead to a problem are the current ones requested,
    once, since an attribute may have been created at the vendor a minute ago.

    Args:
        attach: the people that it attaches to hidden records.
        live_fields: the fields that the draft was validated with.
        unchecked: why the vendor could not answer; "" if it could, or was not needed.
    """

    activation: Activation
    custom_columns: Sequence[str]
    attach: AttachSpec | None = None
    live_fields: Sequence[Field] = ()
    unchecked: str = ""
    requested: bool = field(default=False, repr=False)

    def problems(self, rows: Sequence[MappingSpec]) -> list[Misconfigured]:
        """The problems of the activation with these mapping rows and its custom attributes."""
        spec = self.spec(rows)
        online = self._online(spec)
        unchecked = rules.new_field_problems(spec, ()) if self.unchecked else ()
        return [*rules.offline(spec), *online, *unchecked]

    def _online(self, spec: ActivationSpec) -> list[Misconfigured]:
        """Problems by the destination's fields. Empty if the vendor can't answer; `unchecked` then has the reason."""
        last = None if self.requested else discovery.cached(self.activation.destination)
        if last:
            self.live_fields = last.fields
        else:
            self._request_fields()
        problems = [] if self.unchecked else list(rules.online(spec, self.live_fields))
        if not problems or not last:
            return problems
        self._request_fields()
        return [] if self.unchecked else list(rules.online(spec, self.live_fields))

    def _request_fields(self) -> None:
        if self.requested:
            return
        self.requested = True
        try:
            self.live_fields = discovery.refresh(self.activation.destination, timezone.now()).fields
        except Problem as problem:
            self.unchecked = problem.message

    def spec(self, rows: Sequence[MappingSpec]) -> ActivationSpec:
        """The activation with these mapping rows and its custom attributes."""
        custom = [MappingSpec(target=name, column=name, custom_attribute=True) for name in self.custom_columns]
        return replace(spec_from_db.spec(self.activation, [*rows, *custom]), attach=self.attach)

    def fixed_value_problem(self, row: MappingSpec, value: object) -> str:
        """Why the destination can't take a fixed value; "" if it can."""
        attribute = next((field for field in self.live_fields if field.name == row.target), None)
        if attribute is None:
            return ""
        origin = Origin(zone(self.activation.data_model.source), country=row.country)
        try:
            services[self.activation.destination.service].convert(attribute, value, origin)
        except Rejected as problem:
            return problem.message
        return ""
