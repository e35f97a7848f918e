"""PURE. The reporting views: their columns and the SQL, which is the same for SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass

from dinmo.rows.columns import Column, Kind, Table

_INTEGER, _TEXT, _BOOLEAN, _TIMESTAMP = Kind.INTEGER, Kind.TEXT, Kind.BOOLEAN, Kind.TIMESTAMP


@dataclass(frozen=True)
class View:
    """A view.

    Args:
        columns: the name, kind and SQL expression of each column.
        source: the SQL after the columns, starting with FROM.
    """

    name: str
    columns: tuple[tuple[str, Kind, str], ...]
    source: str

    @property
    def sql(self) -> str:
        """The SELECT statement that defines the view."""
        columns = ", ".join(f"{expression} AS {name}" for name, _, expression in self.columns)
        return f"SELECT {columns} {self.source}"

    @property
    def table(self) -> Table:
        """The table to read its rows with."""
        return Table(self.name, tuple(Column(name, kind) for name, kind, _ in self.columns))


ACTIVATIONS = View(
    "reporting_activations",
    (
        ("activation_id", _INTEGER, "activation.id"),
        ("activation", _TEXT, "activation.name"),
        ("model", _TEXT, "model.name"),
        ("segment", _TEXT, "segment.name"),
        ("source", _TEXT, "source.name"),
        ("destination", _TEXT, "destination.name"),
        ("service", _TEXT, "destination.service"),
        ("connection", _TEXT, "connection.name"),
        ("mode", _TEXT, "activation.mode"),
        ("is_draft", _BOOLEAN, "activation.is_draft"),
        ("is_paused", _BOOLEAN, "activation.paused"),
        ("paused_by_system_since", _TIMESTAMP, "pause.since"),
        ("created_at", _TIMESTAMP, "activation.created_at"),
    ),
    "FROM activations_activation activation "
    "LEFT JOIN segments_segment segment ON segment.id = activation.segment_id "
    "JOIN segments_datamodel model ON model.id = coalesce(activation.model_id, segment.model_id) "
    "JOIN segments_source source ON source.id = model.source_id "
    "JOIN destinations_destination destination ON destination.id = activation.destination_id "
    "JOIN destinations_connection connection ON connection.id = destination.connection_id "
    "LEFT JOIN activations_systempause pause ON pause.activation_id = activation.id",
)
RUNS = View(
    "reporting_runs",
    (
        ("run_id", _INTEGER, "run.id"),
        ("activation_id", _INTEGER, "run.activation_id"),
        ("activation", _TEXT, "activation.name"),
        ("number", _INTEGER, "run.number"),
        ("state", _TEXT, "run.state"),
        ("trigger", _TEXT, 'run."trigger"'),
        ("kind", _TEXT, "run.kind"),
        ("full_because", _TEXT, "run.reason"),
        ("is_dry_run", _BOOLEAN, "run.dry_run"),
        ("error_code", _TEXT, "run.error_code"),
        ("created_at", _TIMESTAMP, "run.created_at"),
        ("started_at", _TIMESTAMP, "run.started_at"),
        ("compared_at", _TIMESTAMP, "run.compared_at"),
        ("finished_at", _TIMESTAMP, "run.finished_at"),
        ("rows_read", _INTEGER, 'run."rows"'),
        ("unchanged", _INTEGER, "run.unchanged"),
        ("waiting", _INTEGER, "run.waiting"),
        ("left_data", _INTEGER, 'run."left"'),
        ("returned", _INTEGER, "run.returned"),
        ("planned", _INTEGER, "run.planned"),
        ("new_records", _INTEGER, "run.new"),
        ("known_records", _INTEGER, "run.known"),
        ("accepted", _INTEGER, "run.accepted"),
        ("already_up_to_date", _INTEGER, "run.matched"),
        ("created", _INTEGER, "run.created"),
        ("rejected", _INTEGER, "run.rejected"),
        ("invalid", _INTEGER, "run.invalid"),
        ("skipped", _INTEGER, "run.skipped"),
        ("unknown", _INTEGER, "run.unknown"),
        ("not_sent", _INTEGER, "run.not_sent"),
        ("write_requests", _INTEGER, "run.write_requests"),
        ("lookup_requests", _INTEGER, "run.lookup_requests"),
        ("discovery_requests", _INTEGER, "run.discovery_requests"),
        ("throttled_requests", _INTEGER, "run.throttled"),
    ),
    "FROM activations_run run JOIN activations_activation activation ON activation.id = run.activation_id "
    "WHERE run.previewed_by_id IS NULL",
)
_OF_RUNS = (
    "FROM activations_change change JOIN activations_run run ON run.id = change.run_id "
    "WHERE run.previewed_by_id IS NULL"
)
CHANGES = View(
    "reporting_changes",
    (
        ("change_id", _INTEGER, "change.id"),
        ("run_id", _INTEGER, "change.run_id"),
        ("activation_id", _INTEGER, "run.activation_id"),
        ("record_digest", _INTEGER, "change.key_digest"),
        ("is_new", _BOOLEAN, "change.is_new"),
        ("state", _TEXT, "change.state"),
        ("outcome", _TEXT, "change.outcome"),
        ("reason", _TEXT, "change.code"),
        ("attribute", _TEXT, "change.field"),
        ("attempts", _INTEGER, "change.attempts"),
        ("is_created", _BOOLEAN, "change.created"),
        ("first_attempt_at", _TIMESTAMP, "change.first_attempt_at"),
        ("settled_at", _TIMESTAMP, "change.settled_at"),
        ("request_id", _TEXT, "change.request_id"),
    ),
    _OF_RUNS,
)
OUTCOMES = View(
    "reporting_outcomes",
    (
        ("run_id", _INTEGER, "change.run_id"),
        ("activation_id", _INTEGER, "run.activation_id"),
        ("outcome", _TEXT, "change.outcome"),
        ("reason", _TEXT, "change.code"),
        ("attribute", _TEXT, "change.field"),
        ("records", _INTEGER, "count(*)"),
        ("first_settled_at", _TIMESTAMP, "min(change.settled_at)"),
        ("last_settled_at", _TIMESTAMP, "max(change.settled_at)"),
    ),
    f"{_OF_RUNS} AND change.state = 'settled' "
    "GROUP BY change.run_id, run.activation_id, change.outcome, change.code, change.field",
)
VIEWS = (ACTIVATIONS, RUNS, CHANGES, OUTCOMES)
VALUES = (Column("key", Kind.TEXT), Column("name", Kind.TEXT), Column("values", Kind.TEXT))
"""Additional columns of changes in Parquet files with values."""
