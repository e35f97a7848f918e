"""A simulated Intercom workspace. The service itself never imports it."""

from destinations.services.intercom.sandbox.server import IntercomSandbox

__all__ = ["SANDBOXES"]

SANDBOXES = [IntercomSandbox]
