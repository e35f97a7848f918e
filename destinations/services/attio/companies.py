"""Companies in Attio."""

from __future__ import annotations

from destinations.services.attio.platform import Attio
from destinations.services.attio.records import Records


class AttioCompanies(Records):
    slug = "attio.companies"
    label = "Synchronize companies"
    platform = Attio()
    object = "companies"
    accepts = ("users", "custom")
    default_match = "domains"
    match_advice = (
        "Attio tells companies apart by the attribute Domains and lets no attribute of companies be made unique. "
        "Un-archive Domains in Attio, in the settings of the object Companies."
    )
    notes = (
        "Attio tells companies apart by their domains; a row without a domain is not sent.",
        "Two rows that share a domain are one company, so none of them is sent; both are shown with the reason.",
        "A list, such as categories, is replaced by the list of the source, unless its mapping says that it is added to.",
        "When the domain of a row changes, the new domain is added to the company; Attio keeps the old one too.",
        "Attio also fills in some attributes of a company by itself; those differ from the source until the source changes.",
        "Numbers and amounts are rounded to four decimals, which is what Attio keeps.",
        "Attributes and options are never created in Attio; an unknown option makes its row invalid.",
    )
