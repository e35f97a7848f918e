"""Attio: its platform and its services."""

from destinations.services.attio.companies import AttioCompanies
from destinations.services.attio.people import AttioPeople
from destinations.services.attio.platform import Attio

PLATFORMS = [Attio()]
SERVICES = [AttioCompanies(), AttioPeople()]
