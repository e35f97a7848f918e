"""Registers the vendors of `tests/plugins` in every Python process that has this folder in PYTHONPATH."""

from pathlib import Path

import destinations.services

destinations.services.__path__.append(str(Path(__file__).parent.parent))
