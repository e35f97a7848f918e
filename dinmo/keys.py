"""Keys of this installation that are not set in the environment: created once and stored in `var/`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def load_or_create(path: Path, create: Callable[[], str]) -> str:
    """The content of `path`. A missing file is created with the result of `create`, readable only by this user."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        file.write(create())
    return path.read_text().strip()
