"""SQLite files."""

from segments.engines.sqlite.engine import SQLite

ENGINES = [SQLite()]
