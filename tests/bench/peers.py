"""Other approaches: one lookup per row through the ORM, and drt if it is installed."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import subprocess
import time
from contextlib import closing
from typing import TYPE_CHECKING

from activations.models import Generation, Record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def look_up_each(path: str, table: str, generation: Generation, digests: Sequence[int]) -> int:
    """Hashes each row, looks up its record by the indexed digest and compares the two. Returns how many rows differ.

    The key digests are passed in, so this does less work than a real tool would have to.
    """
    differing = 0
    with closing(sqlite3.connect(path)) as database:
        cursor = database.execute(f"SELECT * FROM {table} LIMIT ?", [len(digests)])
        for row, digest in zip(cursor, digests, strict=False):
            now = hashlib.blake2b(json.dumps(row, default=str).encode(), digest_size=8).digest()
            record = Record.objects.get(generation=generation, key_digest=digest)
            differing += record.row_digest != int.from_bytes(now, "little", signed=True)
    return differing


class Missing(Exception):
    """The tool can't be measured on this machine. The message is the reason."""


def drt_seconds(directory: Path, database: Path, table: str) -> float:
    """Wall seconds of a whole drt process that copies a SQLite table to a JSON Lines file.

    For SQLite sources, drt 1.2 does not compare rows with what it sent before, so it reads and sends every row each
    time. A local file is the fastest of its destinations.

    Raises:
        Missing: drt is not installed, or does not run the way version 1.2 does.
    """
    program = shutil.which("drt")
    if program is None:
        raise Missing(
            "not installed; run `pip install drt-core` in a separate environment, and add its `drt` to the PATH"
        )
    project = directory / "drt"
    (project / "syncs").mkdir(parents=True, exist_ok=True)
    (project / ".drt").mkdir(exist_ok=True)
    (project / "drt_project.yml").write_text('name: bench\nversion: "0.1"\nprofile: bench\n')
    (project / ".drt" / "profiles.yml").write_text(json.dumps({"bench": {"type": "sqlite", "database": str(database)}}))
    sync = {
        "name": "companies", "model": f"SELECT * FROM {table}",
        "destination": {"type": "file", "path": str(project / "out.jsonl"), "format": "jsonl"},
        "sync": {"mode": "full", "batch_size": 10_000},
    }  # fmt: skip
    (project / "syncs" / "companies.yml").write_text(json.dumps(sync))
    environment = {"HOME": str(project), "PATH": "", "DO_NOT_TRACK": "1"}
    started = time.perf_counter()
    done = subprocess.run([program, "run"], cwd=project, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"exited with code {done.returncode}: {(done.stderr or done.stdout).strip()[-200:]}")
    return time.perf_counter() - started
