"""PURE. The SQL of conditions in Feather: that of DuckDB, which runs the queries."""

from __future__ import annotations

from segments.engines.duckdb.dialect import COMPUTED, dialect

__all__ = ["COMPUTED", "dialect"]
