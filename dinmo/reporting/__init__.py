"""Runs, changes and outcomes for other programs: read-only views of the database, and the same as Parquet files.

Their names and columns are kept stable (docs/reporting.md). They contain no values of records.
"""
