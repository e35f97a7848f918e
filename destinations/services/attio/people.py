"""People in Attio."""

from __future__ import annotations

from destinations.services.attio.platform import Attio
from destinations.services.attio.records import Records


class AttioPeople(Records):
    slug = "attio.people"
    label = "Synchronize people"
    platform = Attio()
    object = "people"
    accepts = ("users", "custom")
    default_match = "email_addresses"
    match_advice = (
        "Attio tells people apart by the attribute Email addresses and lets no attribute of people be made unique. "
        "Un-archive Email addresses in Attio, in the settings of the object People."
    )
    notes = (
        "Attio tells people apart by their email addresses; a row without one is not sent.",
        "When the email address of a row changes, the new one is added to the person; Attio keeps the old one too.",
        "Attio creates the company of a new person's email domain by itself, and links the two.",
        "A name may come from one column or from one each for first and last name.",
        "A list, such as phone numbers, is replaced by the list of the source, unless its mapping says that it is added to.",
        "Attributes and options are never created in Attio; an unknown option makes its row invalid.",
    )
