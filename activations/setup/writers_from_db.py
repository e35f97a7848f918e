"""The activations that write to the records of one workspace, from the database."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet

from activations.models import FieldMapping
from activations.setup import writers
from activations.setup.writers import Mapped, Shared, Writer
from destinations.registry import services

if TYPE_CHECKING:
    from collections.abc import Iterator

    from activations.models import Activation
    from destinations.models import Connection, Destination

COLUMNS = (
    "activation_id", "activation__name", "activation__is_draft", "activation__mode", "activation__model_id",
    "activation__segment__model_id", "activation__destination__service", "activation__destination__connection_id",
    "activation__destination__connection__workspace_id",
    "target", "column", "template", "value", "round_to_whole", "country", "when_empty", "multi", "policy",
)  # fmt: skip


def shared(activation: Activation) -> list[Shared]:
    """What different activations write to the same attributes as a saved one."""
    mine = writer(activation)
    return writers.shared(services[mine.service], mine, others(activation.destination, mine))


def shared_by_attribute(destination: Destination, mine: Writer) -> dict[str, list[Shared]]:
    """As `writers.shared_by_attribute`, for an activation that may not be saved yet."""
    return writers.shared_by_attribute(services[destination.service], mine, others(destination, mine))


def writer(activation: Activation) -> Writer:
    """A saved activation."""
    model = activation.data_model.pk
    return Writer(
        activation.name,
        activation.destination.service,
        workspace(activation.destination.connection),
        tuple(mapped(model, mapping, activation.mode) for mapping in activation.mappings.all()),
        activation.is_draft,
        activation.pk,
    )


def mapped(model: int | None, row: Any, mode: str) -> Mapped:
    """A mapping as it is compared with those of different activations. `row` has the fields of a FieldMapping."""
    options = (row.round_to_whole, row.country, row.when_empty)
    return Mapped(
        row.target,
        writers.source_of(model, row.column, row.template, row.value, *options),
        writers.policy_of(mode, row.policy),
        row.multi == FieldMapping.Multi.ADD,
    )


def others(destination: Destination, mine: Writer) -> list[Writer]:
    """The other activations that write to the records of a destination, with what they map to the same attributes.

    Two queries, however many activations and attributes there are.
    """
    rows = FieldMapping.objects.filter(_of_records(destination)).exclude(activation=mine.pk)
    theirs = set(rows.order_by().values_list("target", flat=True).distinct())
    found = writers.alike(services[destination.service], {each.target for each in mine.mapped}, theirs)
    return list(_writers(rows.filter(target__in=found))) if found else []


def everyone() -> dict[tuple[str, str], list[Writer]]:
    """All activations by service and workspace, without drafts."""
    found: dict[tuple[str, str], list[Writer]] = {}
    for each in _writers(FieldMapping.objects.filter(activation__is_draft=False)):
        found.setdefault((each.service, each.workspace), []).append(each)
    return found


def _of_records(destination: Destination) -> Q:
    """Mappings of activations that write to the records of a destination: those of its service in its workspace."""
    connection = destination.connection
    same = Q(activation__destination__connection=connection)
    if connection.workspace_id:
        same |= Q(activation__destination__connection__workspace_id=connection.workspace_id)
    return same & Q(activation__destination__service=destination.service)


def _writers(mappings: QuerySet[FieldMapping]) -> Iterator[Writer]:
    rows = mappings.order_by("activation__name", "position", "pk").values_list(*COLUMNS, named=True)
    for pk, group in groupby(rows, key=lambda row: row.activation_id):
        row, *more = group
        model = row.activation__model_id or row.activation__segment__model_id
        yield Writer(
            row.activation__name,
            row.activation__destination__service,
            row.activation__destination__connection__workspace_id or f"#{row.activation__destination__connection_id}",
            tuple(mapped(model, each, row.activation__mode) for each in (row, *more)),
            row.activation__is_draft,
            pk,
        )


def workspace(connection: Connection) -> str:
    """What identifies the workspace of a connection: the vendor's ID of it, if that is known."""
    return connection.workspace_id or f"#{connection.pk}"
