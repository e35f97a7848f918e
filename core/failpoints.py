"""Places in the code where a proof lets the process die. Without `CHAOS_AT` in the environment they do nothing."""

from __future__ import annotations

import os
import signal
from pathlib import Path

_ORDER = os.environ.get("CHAOS_AT", "")
TAKEN = ".taken"


def reach(name: str) -> None:
    """Kills this process (-9) where the file that `CHAOS_AT` names holds `name`.

    The file is renamed first, with `.taken` at its end, so that an order kills one process and no more; it then tells the
    process group.
    """
    if _ORDER and _is_ordered(Path(_ORDER), name):
        os.kill(os.getpid(), signal.SIGKILL)


def _is_ordered(order: Path, name: str) -> bool:
    try:
        if order.read_text() != name:
            return False
        taken = order.rename(f"{order}{TAKEN}")
        taken.write_text(str(os.getpgrp()))
    except FileNotFoundError:
        return False
    return True
