"""PostgreSQL."""

from segments.engines.postgres.engine import Postgres

ENGINES = [Postgres()]
