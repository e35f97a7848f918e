"""Intercom: companies, written by `company_id`."""

from __future__ import annotations

from destinations.services.intercom.companies import IntercomCompanies
from destinations.services.intercom.platform import PLATFORM

PLATFORMS = [PLATFORM]
SERVICES = [IntercomCompanies()]
