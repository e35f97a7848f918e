"""Sample records with which the contract suite tests these services."""

from __future__ import annotations

from destinations.conformance import Sample

_FREE = {"reads_per_second": 0, "writes_per_second": 0}
_REVOKE = {"revoked": True}

SAMPLES = [
    Sample(
        slug="attio.companies",
        kind="companies",
        match="acme-{n}.com",
        values={
            "name": "Société Générique",
            "description": "Bakery of Zoë Quillfeather",
            "contract_number": "CN-778123",
        },
        text="description",
        custom="contract_number",
        bad=("foundation_date", "31/12/2020"),
        arrange={**_FREE, "attributes": [{"api_slug": "contract_number", "type": "text"}]},
        revoke=_REVOKE,
    ),
    Sample(
        slug="attio.people",
        kind="people",
        match="zoe.quillfeather-{n}@acme.com",
        values={
            "name": "Quillfeather, Zoë",
            "job_title": "Chief Baker",
            "phone_numbers": "+33142685300",
            "contract_number": "CN-778123",
        },
        text="job_title",
        custom="contract_number",
        bad=("phone_numbers", ["+1"]),
        arrange={**_FREE, "attributes": [{"api_slug": "contract_number", "type": "text", "object": "people"}]},
        revoke=_REVOKE,
    ),
]
