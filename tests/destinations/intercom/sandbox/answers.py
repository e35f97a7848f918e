"""The simulator's answers, for its tests: the parts of an error, and a company that was created."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import requests

    from tests.destinations.intercom.conftest import Vendor

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NOT_FOUND = (404, "company_not_found", "Company Not Found")


def error_of(response: requests.Response) -> tuple[int, str, str]:
    """Status, code and message, after checking that the format is Intercom's."""
    body = response.json()
    assert set(body) == {"type", "request_id", "errors"}
    assert body["type"] == "error.list"
    assert UUID.fullmatch(body["request_id"])
    assert response.headers["X-Request-Id"] == body["request_id"]
    (error,) = body["errors"]
    return response.status_code, error["code"], error["message"]


def created(vendor: Vendor, company_id: Any = "c1", **values: Any) -> dict[str, Any]:
    response = vendor.call("POST", "/companies", {"company_id": company_id, **values})
    assert response.status_code == 200, response.text
    company: dict[str, Any] = response.json()
    return company
