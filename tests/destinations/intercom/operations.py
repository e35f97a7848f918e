"""Operations on companies, and the companies that the simulator stores, for tests."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from destinations.contract import Field, Operation, Verb

if TYPE_CHECKING:
    from tests.destinations.intercom.conftest import Vendor

MATCH = Field("company_id", "Company ID", "string", matchable=True)
SEATS = {"name": "seats", "data_type": "integer"}


def upsert(company_id: str, **values: Any) -> Operation:
    return Operation(Verb.UPSERT, "company_id", company_id, values, frozenset(values))


def create(company_id: str, **values: Any) -> Operation:
    return Operation(Verb.CREATE, "company_id", company_id, values, frozenset(values))


def update(remote_id: str, changed: set[str], **values: Any) -> Operation:
    return Operation(Verb.UPDATE, "company_id", "c1", values, frozenset(changed), remote_id=remote_id)


def update_or_create(remote_id: str, changed: set[str], **values: Any) -> Operation:
    return replace(update(remote_id, changed, **values), may_create=True)


def stored(vendor: Vendor, company_id: str) -> dict[str, Any]:
    company = vendor.company(company_id)
    assert company is not None
    return company
