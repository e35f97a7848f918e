"""The source of the proof: a handful of companies, so that runs are short."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

COMPANIES = 4


class Table:
    """The table of companies in a SQLite file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.version = 0
        self.change()

    def change(self) -> None:
        """Renames every company. The file is replaced as a whole, so that a run reads either the old or the new one."""
        self.version += 1
        draft = self.path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        connection = sqlite3.connect(draft)
        with connection:
            connection.execute("create table companies (id integer, domain text, name text)")
            rows = [(n, f"company{n}.com", f"Company {n}, {self.version}") for n in range(1, COMPANIES + 1)]
            connection.executemany("insert into companies values (?, ?, ?)", rows)
        connection.close()
        draft.rename(self.path)
