"""The simulator of Acme. Loaded only where a simulator runs."""

from destinations.services.acme.sandbox.server import AcmeSandbox

__all__ = ["SANDBOXES"]

SANDBOXES = [AcmeSandbox]
