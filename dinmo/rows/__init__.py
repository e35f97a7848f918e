"""Reads and writes whole tables as Arrow batches, on SQLite and PostgreSQL. Used by backup and reporting."""
