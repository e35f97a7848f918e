"""A shop with an activation, and backups of the installation that the test runs in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.utils import timezone

from dinmo.audit import append_only
from dinmo.backup import restore
from dinmo.backup.create import create
from tests.activations.conftest import attio as attio
from tests.activations.conftest import companies as companies
from tests.activations.conftest import fast_services as fast_services
from tests.activations.conftest import shop as shop
from tests.activations.conftest import to_attio as to_attio

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PASSPHRASE = "correct horse battery staple"


@pytest.fixture(autouse=True)
def _unprotected(db: None) -> Iterator[None]:
    """Restoring protects the audit log again, which prevents that the tables are emptied after a test."""
    yield
    append_only.unprotect(connection)


class Backups:
    """Makes backups of this installation, and restores them into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self, name: str = "one") -> Path:
        path = self.folder / f"{name}.backup"
        create(path, PASSPHRASE, timezone.now())
        return path

    def restore(self, path: Path) -> restore.Done:
        with path.open("rb") as file:
            return restore.restore(file, PASSPHRASE, restore.inspect(file, PASSPHRASE))


@pytest.fixture
def backups(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Backups:
    settings.VAR_DIR = settings.KEYS_DIR = tmp_path
    for name in ("ENCRYPTION_KEYS", "SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    return Backups(tmp_path)
