"""The block `attach_contacts` of an activation: which people are attached to records that the destination hides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from activations.setup.attached.rules import MOST_ATTACHED, PLACE
from activations.setup.spec import AttachSpec
from destinations.registry import services
from segments.models import DataModel

if TYPE_CHECKING:
    from dinmo.workspace import entities
    from dinmo.workspace.block import Block
    from dinmo.workspace.names import Scope


def read(block: Block, scope: Scope, destination: entities.Destination | None) -> AttachSpec | None:
    """The block, or None if the activation has none."""
    attached = block.block(PLACE, f"The block `{PLACE}`")
    if attached is None:
        return None
    model = scope.find("models", attached, "model")
    if not attached.has("model"):
        attached.report("model", f"`{PLACE}` needs `model`: the model of the people.")
    spec = AttachSpec(
        model=model.name if model else "",
        company_column=attached.text("company_column", required=True),
        found_by={name: column for name in _names(destination) if (column := attached.text(name))},
        at_most=attached.whole("at_most", 1, MOST_ATTACHED),
    )
    attached.close()
    return spec if model else None


def written(spec: AttachSpec) -> dict[str, Any]:
    """The block in an exported file."""
    at_most = {"at_most": spec.at_most} if spec.at_most != 1 else {}
    return {"model": spec.model, "company_column": spec.company_column, **spec.found_by, **at_most}


def columns(spec: AttachSpec | None) -> dict[str, Any] | None:
    """The columns of `AttachContacts`; None if nobody is attached."""
    if spec is None:
        return None
    return {
        "model": DataModel.objects.get(name=spec.model),
        "company_column": spec.company_column,
        "found_by": dict(spec.found_by),
        "at_most": spec.at_most,
    }


def _names(destination: entities.Destination | None) -> list[str]:
    """The attributes that find a person at the destination; those of every service if it hides no records."""
    reveals = services[destination.service].reveals if destination else None
    known = [reveals] if reveals else [service.reveals for service in services.all.values() if service.reveals]
    return list(dict.fromkeys(field.name for each in known for field in each.found_by))
