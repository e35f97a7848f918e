"""Simulates an Attio workspace. No other module of the service imports it."""

from destinations.services.attio.sandbox.server import AttioSandbox

__all__ = ["SANDBOXES"]

SANDBOXES = [AttioSandbox]
