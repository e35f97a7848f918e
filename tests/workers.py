"""A plug-in of pytest: each parallel test process has a state directory of its own, with its own database."""

from __future__ import annotations

import os
from pathlib import Path

# It is loaded before the settings, which read the environment.
if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    root = Path(__file__).resolve().parent.parent
    os.environ["VAR_DIR"] = str(Path(os.environ.get("VAR_DIR") or root / "var" / "test") / worker)
