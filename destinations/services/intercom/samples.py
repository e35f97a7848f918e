"""Sample records for the contract suite."""

from __future__ import annotations

from destinations.conformance import Sample

_REVOKE = {"token_error": "token_revoked"}
_SETTINGS = {"region": "us"}

SAMPLES = [
    Sample(
        slug="intercom.companies",
        kind="companies",
        match="customer-77-{n}",
        values={
            "name": "Société Générique",
            "industry": "Bakery of Zoë Quillfeather",
            "size": 12,
            "contract_number": "CN-778123",
        },
        text="industry",
        custom="contract_number",
        bad=("monthly_spend", 2**31),
        arrange={"rate_limit_per_window": 0, "data_attributes": [{"name": "contract_number"}]},
        revoke=_REVOKE,
        settings=_SETTINGS,
    ),
    Sample(
        slug="intercom.contacts",
        kind="contacts",
        match="person-77-{n}",
        values={"name": "Zoë Quillfeather", "phone": "+33142685300", "contract_number": "CN-778123"},
        text="name",
        custom="contract_number",
        bad=("email", "quillfeather at acme.com"),
        arrange={"rate_limit_per_window": 0, "data_attributes": [{"name": "contract_number", "model": "contact"}]},
        revoke=_REVOKE,
        settings=_SETTINGS,
    ),
]
