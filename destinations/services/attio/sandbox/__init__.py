"""A simulated Attio workspace. Nothing of the service itself imports it."""

from destinations.services.attio.sandbox.server import AttioSandbox

__all__ = ["SANDBOXES"]

SANDBOXES = [AttioSandbox]
