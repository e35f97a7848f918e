"""Intercom: companies, matched by `company_id`, and contacts, matched by email or external ID."""

from __future__ import annotations

from destinations.services.intercom.companies import IntercomCompanies
from destinations.services.intercom.contacts import IntercomContacts
from destinations.services.intercom.platform import PLATFORM
from destinations.services.intercom.samples import SAMPLES

__all__ = ["PLATFORMS", "SAMPLES", "SERVICES"]

PLATFORMS = [PLATFORM]
SERVICES = [IntercomCompanies(), IntercomContacts()]
