"""Which source engines this installation has."""

from __future__ import annotations

from core.plugins import Registry
from segments.contract import Engine

engines: Registry[Engine] = Registry("segments.engines", "ENGINES", "engine")
