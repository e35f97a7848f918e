"""A simulated Nimbus account."""

from tests.plugins.nimbus.sandbox.server import NimbusSandbox

__all__ = ["SANDBOXES"]

SANDBOXES = [NimbusSandbox]
