"""Nimbus, a vendor that does not exist: up to 20 records a request, list fields, a quota in its headers."""

from tests.plugins.nimbus.accounts import NimbusAccounts
from tests.plugins.nimbus.platform import NIMBUS
from tests.plugins.nimbus.samples import SAMPLES

__all__ = ["PLATFORMS", "SAMPLES", "SERVICES"]

PLATFORMS = [NIMBUS]
SERVICES = [NimbusAccounts()]
