"""Runs, changes and outcomes for BI tools, as read-only database views and as Parquet files.

The names and columns are stable (docs/reporting.md). The views contain no record values.
"""
