"""The service for people in Attio."""

from __future__ import annotations

from destinations.services.attio.platform import Attio
from destinations.services.attio.records import Records


class AttioPeople(Records):
    slug = "attio.people"
    label = "Synchronize people"
    record_nouns = ("person", "people")
    summary = "Create people in Attio, and keep their attributes up to date."
    platform = Attio()
    object = "people"
    accepts = ("users", "custom")
    default_match = "email_addresses"
    match_advice = (
        "Attio identifies people by the attribute Email addresses, and does not allow another unique attribute on "
        "people. Unarchive Email addresses in Attio, in the settings of the object People."
    )
    notes = (
        "Attio identifies people by their email addresses. A row without an email address is not sent.",
        "If the email address of a row changes, the new one is added to the person, and Attio keeps the old one.",
        "For a new person, Attio automatically creates the company of the email domain and links the two.",
        "A name can be mapped from one column, or from separate columns for the first and last name.",
        "A list from the source, such as phone numbers, replaces the list in Attio, unless the mapping is set to add "
        "to it.",
        "Attributes and options are never created in Attio. An unknown option makes its row invalid.",
    )
