"""Attio: its platform and its services."""

from destinations.services.attio.companies import AttioCompanies
from destinations.services.attio.people import AttioPeople
from destinations.services.attio.platform import Attio
from destinations.services.attio.samples import SAMPLES

__all__ = ["PLATFORMS", "SAMPLES", "SERVICES"]

PLATFORMS = [Attio()]
SERVICES = [AttioCompanies(), AttioPeople()]
