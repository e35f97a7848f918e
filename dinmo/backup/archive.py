"""The content of a backup: a tar stream of a manifest, the keys, the rows of each table in batches, and uploads."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa

from core.errors import Misconfigured
from dinmo.backup.encryption import CHUNK_BYTES, damaged

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = 1
MANIFEST, KEYS, END = "manifest.json", "keys.json", "end.json"
TABLES, UPLOADS = "tables", "uploads"


@dataclass(frozen=True)
class Keys:
    """The keys of an installation: ENCRYPTION_KEYS and SECRET_KEY."""

    encryption: tuple[str, ...]
    secret: str

    def __repr__(self) -> str:
        return "Keys([secret])"


@dataclass(frozen=True)
class Manifest:
    """When a backup was created, from which kind of database, and the migrations applied to it."""

    created_at: datetime
    database: str
    migrations: frozenset[tuple[str, str]]


class Writer:
    """Writes the members of a backup to a stream, which `finish` completes."""

    def __init__(self, file: BinaryIO) -> None:
        self._tar = tarfile.open(fileobj=file, mode="w|", bufsize=CHUNK_BYTES)  # noqa: SIM115
        self._batches = 0
        self.rows: dict[str, int] = {}
        self.uploads = 0

    def begin(self, manifest: Manifest, keys: Keys) -> None:
        """Writes the manifest and the keys, which a restore needs before the rows."""
        described = {
            "format": FORMAT,
            "created_at": manifest.created_at.isoformat(),
            "database": manifest.database,
            "migrations": sorted(manifest.migrations),
        }
        self._add(MANIFEST, json.dumps(described).encode())
        self._add(KEYS, json.dumps(asdict(keys)).encode())

    def batch(self, table: str, batch: pa.RecordBatch) -> None:
        """Writes rows of a table."""
        target = pa.BufferOutputStream()
        with pa.ipc.new_stream(target, batch.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as stream:
            stream.write_batch(batch)
        self._batches += 1
        self._add(f"{TABLES}/{table}/{self._batches}", target.getvalue().to_pybytes())
        self.rows[table] = self.rows.get(table, 0) + batch.num_rows

    def upload(self, path: str, file: BinaryIO, size: int) -> None:
        """Writes an uploaded file of `size` bytes."""
        self._tar.addfile(_member(f"{UPLOADS}/{path}", size), file)
        self.uploads += 1

    def finish(self) -> None:
        """Writes the end marker, without which a backup is incomplete."""
        self._add(END, json.dumps({"rows": self.rows, "uploads": self.uploads}).encode())
        self._tar.close()

    def _add(self, name: str, content: bytes) -> None:
        self._tar.addfile(_member(name, len(content)), io.BytesIO(content))


@dataclass(frozen=True)
class Contents:
    """The contents of a backup, without the rows and files themselves."""

    manifest: Manifest
    keys: Keys
    rows: dict[str, int]
    uploads: int


def contents(file: BinaryIO) -> Contents:
    """Reads a backup to its end.

    Raises:
        Misconfigured: it is damaged, or has a newer format.
    """
    found = {name: _json(content) for name, content in members(file) if name in (MANIFEST, KEYS, END)}
    # Only padding follows the end marker, but reading it authenticates the rest of the file.
    while file.read(CHUNK_BYTES):
        pass
    if found.keys() != {MANIFEST, KEYS, END}:
        raise damaged()
    return Contents(
        _manifest(found[MANIFEST]),
        Keys(tuple(found[KEYS]["encryption"]), found[KEYS]["secret"]),
        found[END]["rows"],
        found[END]["uploads"],
    )


def members(file: BinaryIO) -> Iterator[tuple[str, BinaryIO]]:
    """The name and content of each member. Read the content before advancing to the next member."""
    try:
        with tarfile.open(fileobj=file, mode="r|", bufsize=CHUNK_BYTES) as tar:
            for member in tar:
                if content := tar.extractfile(member):
                    yield member.name, content  # type: ignore[misc]
                # Otherwise, tarfile keeps every member in memory.
                tar.members.clear()  # type: ignore[attr-defined]
    except tarfile.TarError:
        raise damaged() from None


def batch(content: BinaryIO) -> pa.RecordBatch:
    """The rows of a member written by `Writer.batch`."""
    with pa.ipc.open_stream(content.read()) as stream:
        return stream.read_next_batch()


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = size
    return member


def _json(content: BinaryIO) -> Any:
    return json.loads(content.read())


def _manifest(described: dict[str, Any]) -> Manifest:
    if described["format"] != FORMAT:
        raise Misconfigured("backup_newer", "The backup was created by a newer version. Install that version first.")
    migrations = frozenset((app, name) for app, name in described["migrations"])
    return Manifest(datetime.fromisoformat(described["created_at"]).astimezone(UTC), described["database"], migrations)
