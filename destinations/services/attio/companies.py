"""The service for companies in Attio."""

from __future__ import annotations

from destinations.services.attio.platform import Attio
from destinations.services.attio.records import Records


class AttioCompanies(Records):
    slug = "attio.companies"
    label = "Synchronize companies"
    record_nouns = ("company", "companies")
    summary = "Create companies in Attio, and keep their attributes up to date."
    platform = Attio()
    object = "companies"
    accepts = ("users", "custom")
    default_match = "domains"
    match_advice = (
        "Attio identifies companies by the attribute Domains, and does not allow another unique attribute on "
        "companies. Unarchive Domains in Attio, in the settings of the object Companies."
    )
    notes = (
        "Attio identifies companies by their domains. A row without a domain is not sent.",
        "Two rows that share a domain are the same company to Attio, so neither is sent. Both are listed as invalid, "
        "with the reason.",
        "A list from the source, such as categories, replaces the list in Attio, unless the mapping is set to add to "
        "it.",
        "If the domain of a row changes, the new domain is added to the company, and Attio keeps the old one.",
        "Attio also fills in some attributes of a company automatically. They stay different from the source until the "
        "source changes.",
        "Numbers and amounts are rounded to four decimal places, the most that Attio stores.",
        "Attributes and options are never created in Attio. An unknown option makes its row invalid.",
    )
