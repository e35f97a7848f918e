"""What an activation would be, from form values, and what stands against it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.utils import timezone

from activations.setup import rules
from core.errors import Misconfigured, Problem, Rejected
from destinations import discovery
from destinations.registry import services

if TYPE_CHECKING:
    from collections.abc import Sequence

    from activations.models import Activation
    from destinations.contract import Field


@dataclass
class Proposal:
    """An activation that is not saved yet, looked at by the rules.

    It goes by the fields as they were found last. Only where those stand against it is the vendor asked, once.
    """

    activation: Activation
    custom_columns: Sequence[str]
    live_fields: Sequence[Field] = ()
    unchecked: str = ""
    asked: bool = field(default=False, repr=False)

    def problems(self, rows: Sequence[rules.MappingRow]) -> list[Misconfigured]:
        """What the rules say of the activation with these mapping rows and its custom attributes."""
        plan = self.plan(rows)
        return [*rules.offline(plan), *self._online(plan)]

    def _online(self, plan: rules.Plan) -> list[Misconfigured]:
        """Nothing where the vendor can't answer; then `unchecked` says why, and only the offline rules hold."""
        kept = None if self.asked else discovery.cached(self.activation.destination)
        if kept:
            self.live_fields = kept.fields
        else:
            self._ask()
        found = [] if self.unchecked else list(rules.online(plan, self.live_fields))
        if not found or not kept:
            return found
        self._ask()
        return [] if self.unchecked else list(rules.online(plan, self.live_fields))

    def _ask(self) -> None:
        if self.asked:
            return
        self.asked = True
        try:
            self.live_fields = discovery.refresh(self.activation.destination, timezone.now()).fields
        except Problem as problem:
            self.unchecked = problem.message

    def plan(self, rows: Sequence[rules.MappingRow]) -> rules.Plan:
        activation, destination = self.activation, self.activation.destination
        custom = [rules.MappingRow(target=name, column=name, custom_attribute=True) for name in self.custom_columns]
        return rules.Plan(
            service=services[destination.service],
            platform=destination.connection.platform,
            model_kind=activation.data_model.kind,
            mode=activation.mode,
            columns=activation.data_model.column_types(),
            match_column=activation.match_column,
            match_field=activation.match_field,
            mappings=[*rows, *custom],
            computed=[field.name for field in activation.data_model.computed_fields()],
        )

    def fixed_value_problem(self, target: str, value: object) -> str:
        """Why the destination can't take a fixed value, or nothing."""
        found = next((field for field in self.live_fields if field.name == target), None)
        if found is None:
            return ""
        try:
            services[self.activation.destination.service].convert(found, value)
        except Rejected as problem:
            return problem.message
        return ""


def identity_changed(before: Activation, after: Activation) -> bool:
    """Whether what identifies records changed, so that what was sent before says nothing any more."""
    return (
        before.destination_id != after.destination_id
        or before.data_model.pk != after.data_model.pk
        or before.match_column != after.match_column
        or before.match_field != after.match_field
    )
