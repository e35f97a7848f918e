"""Acme: its platform and its services."""

from destinations.services.acme.companies import AcmeCompanies
from destinations.services.acme.platform import Acme
from destinations.services.acme.samples import SAMPLES

__all__ = ["PLATFORMS", "SAMPLES", "SERVICES"]

PLATFORMS = [Acme()]
SERVICES = [AcmeCompanies()]
