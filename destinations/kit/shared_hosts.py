"""The hosts whose pages belong to many companies, from a list that an installation can replace."""

from __future__ import annotations

import os
from functools import cache
from importlib import resources
from pathlib import Path

VARIABLE = "SHARED_HOSTS_FILE"
"""The environment variable with the path of an installation's own list."""


@cache
def shared_hosts() -> tuple[frozenset[str], frozenset[str]]:
    """The hosts that are shared, and those whose subdomains are shared too. Read once.

    Raises:
        OSError: the installation's own list can't be read.
    """
    own = os.environ.get(VARIABLE, "").strip()
    text = (
        Path(own).read_text("utf-8") if own else (resources.files(__package__) / "shared_hosts.txt").read_text("utf-8")
    )
    lines = {line.strip().lower() for line in text.splitlines()}
    entries = {line for line in lines if line and not line.startswith("#")}
    wide = {entry.removeprefix("*.") for entry in entries if entry.startswith("*.")}
    return frozenset(entry.removeprefix("*.") for entry in entries), frozenset(wide)
