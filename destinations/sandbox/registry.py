"""The simulators, by platform. Importing this module loads none of them; the first lookup does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.plugins import Registry

if TYPE_CHECKING:
    from destinations.sandbox.base import Sandbox

sandboxes: Registry[type[Sandbox]] = Registry("destinations.services", "SANDBOXES", "simulator", subpackage="sandbox")
