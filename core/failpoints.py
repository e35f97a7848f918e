"""Named points at which the chaos proof kills the process. They do nothing unless `CHAOS_AT` is set."""

from __future__ import annotations

import os
import signal
from pathlib import Path

_ORDER_FILE = os.environ.get("CHAOS_AT", "")
TAKEN = ".taken"


def reach(name: str) -> None:
    """Kills this process (SIGKILL) if the file at the path in `CHAOS_AT` contains `name`.

    The file is renamed first, with the suffix `.taken`, so that one order kills exactly one process. The renamed file
    then holds the process group of the killed process.
    """
    if _ORDER_FILE and _take_order(Path(_ORDER_FILE), name):
        os.kill(os.getpid(), signal.SIGKILL)


def _take_order(order: Path, name: str) -> bool:
    """Whether the order names this failpoint and no other process took it first."""
    try:
        if order.read_text() != name:
            return False
        taken = order.rename(f"{order}{TAKEN}")
        taken.write_text(str(os.getpgrp()))
    except FileNotFoundError:
        return False
    return True
