"""Client for Acme's API with one access token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from destinations.kit.client import ApiClient
from destinations.kit.headers import QuotaHeaders
from destinations.services.acme.errors import TABLE, failure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from core.errors import Problem
    from destinations.contract import Gate, Quota
    from destinations.kit.answer import Answer

QUOTA = QuotaHeaders(window_seconds=10)


class AcmeClient(ApiClient):
    """One access token at one API address. Safe for many threads."""

    vendor = "Acme"
    url_variable = "ACME_API_URL"

    def __init__(self, url: str, token: str, gate: Gate, threads: int) -> None:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        super().__init__(url, headers, gate, threads, secret=token)

    def read_quota(self, headers: Mapping[str, str], now: datetime) -> Quota | None:
        return QUOTA.read(headers, now)

    def problem(self, answer: Answer) -> Problem:
        return TABLE.problem(failure(answer))
