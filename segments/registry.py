"""The source engines of this installation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.plugins import Registry

if TYPE_CHECKING:
    from segments.contract import Engine

engines: Registry[Engine] = Registry("segments.engines", "ENGINES", "engine")
