"""A draft of an activation: form values before they are saved, and what the rules find wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.utils import timezone

from activations.setup import rules, saved
from activations.setup.spec import MappingSpec
from core.errors import Misconfigured, Problem, Rejected
from destinations import discovery
from destinations.registry import services

if TYPE_CHECKING:
    from collections.abc import Sequence

    from activations.models import Activation
    from activations.setup.spec import ActivationSpec
    from destinations.contract import Field


@dataclass
class Draft:
    """An activation that is not saved yet, validated by the rules.

    Validation uses the fields of the last discovery. Only if these give a problem is the vendor asked, once.
    """

    activation: Activation
    custom_columns: Sequence[str]
    live_fields: Sequence[Field] = ()
    unchecked: str = ""
    asked: bool = field(default=False, repr=False)

    def problems(self, rows: Sequence[MappingSpec]) -> list[Misconfigured]:
        """What the rules find wrong with the activation, given these mapping rows and its custom attributes."""
        spec = self.spec(rows)
        return [*rules.offline(spec), *self._online(spec)]

    def _online(self, spec: ActivationSpec) -> list[Misconfigured]:
        """Empty if the vendor can't answer; `unchecked` says why, and only the offline rules apply."""
        kept = None if self.asked else discovery.cached(self.activation.destination)
        if kept:
            self.live_fields = kept.fields
        else:
            self._ask()
        found = [] if self.unchecked else list(rules.online(spec, self.live_fields))
        if not found or not kept:
            return found
        self._ask()
        return [] if self.unchecked else list(rules.online(spec, self.live_fields))

    def _ask(self) -> None:
        if self.asked:
            return
        self.asked = True
        try:
            self.live_fields = discovery.refresh(self.activation.destination, timezone.now()).fields
        except Problem as problem:
            self.unchecked = problem.message

    def spec(self, rows: Sequence[MappingSpec]) -> ActivationSpec:
        """The activation with these mapping rows and its custom attributes."""
        custom = [MappingSpec(target=name, column=name, custom_attribute=True) for name in self.custom_columns]
        return saved.spec(self.activation, [*rows, *custom])

    def fixed_value_problem(self, target: str, value: object) -> str:
        """Why the destination can't take a fixed value; "" if it can."""
        found = next((field for field in self.live_fields if field.name == target), None)
        if found is None:
            return ""
        try:
            services[self.activation.destination.service].convert(found, value)
        except Rejected as problem:
            return problem.message
        return ""
