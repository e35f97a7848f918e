"""A simulated Intercom workspace. Nothing of the service itself imports it."""

from destinations.services.intercom.sandbox.server import IntercomSandbox

__all__ = ["SANDBOXES"]

SANDBOXES = [IntercomSandbox]
