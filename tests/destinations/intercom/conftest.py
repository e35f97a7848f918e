"""A simulated workspace on a real socket, and a client for it that is created as in production."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from destinations.contract import OpenGate, Purpose, Quota
from destinations.sandbox.http_server import Server
from destinations.sandbox.registry import sandboxes
from destinations.sandbox.wire import Fault
from destinations.services.intercom.companies import IntercomCompanies
from destinations.services.intercom.platform import PLATFORM
from destinations.services.intercom.sandbox.server import IntercomSandbox
from tests.destinations.intercom.operations import SEATS, stored

if TYPE_CHECKING:
    from collections.abc import Iterator

    from destinations.services.intercom.client import IntercomClient

TOKEN = "dG9rOnNlY3JldA=="


class RecordingGate(OpenGate):
    """Lets all requests pass, and records the calls it receives."""

    def __init__(self) -> None:
        self.waited: list[Purpose] = []
        self.learned: list[tuple[Purpose, Quota]] = []

    def wait(self, purpose: Purpose) -> None:
        self.waited.append(purpose)

    def learn(self, purpose: Purpose, quota: Quota) -> None:
        self.learned.append((purpose, quota))


class Vendor:
    """The simulator for a test: its state, its request log, and raw requests to it."""

    def __init__(self, url: str, sandbox: IntercomSandbox) -> None:
        self.url = url
        self.sandbox = sandbox

    def switch(self, **switches: Any) -> None:
        requests.post(f"{self.url}/_sandbox/switches", json=switches, timeout=10)

    def fail(self, **fault: Any) -> None:
        self.sandbox.faults.append(Fault(**fault))

    def call(
        self, method: str, path: str, json: Any = None, headers: dict[str, str] | None = None, **options: Any
    ) -> requests.Response:
        all_headers = {
            "Authorization": f"Bearer {TOKEN}",
            "Accept": "application/json",
            "Intercom-Version": "2.16",
            **(headers or {}),
        }
        return requests.request(method, self.url + path, json=json, headers=all_headers, timeout=10, **options)

    def company(self, company_id: str) -> dict[str, Any] | None:
        return next(
            (company for company in self.sandbox.state()["companies"] if company["company_id"] == company_id), None
        )

    def sent(self, method: str = "", path: str = "") -> list[dict[str, Any]]:
        return [
            entry for entry in self.sandbox.log if method in ("", entry["method"]) and entry["path"].startswith(path)
        ]


@pytest.fixture(scope="session")
def served() -> Iterator[Server]:
    with Server(sandboxes["intercom"](TOKEN)) as server:
        yield server


@pytest.fixture
def vendor(served: Server, monkeypatch: pytest.MonkeyPatch) -> Vendor:
    sandbox = served.sandbox
    assert isinstance(sandbox, IntercomSandbox)
    sandbox.switches.clear()
    requests.post(f"{served.url}/_sandbox/reset", timeout=10)
    monkeypatch.setenv("INTERCOM_API_URL", served.url)
    return Vendor(served.url, sandbox)


@pytest.fixture
def gate() -> RecordingGate:
    return RecordingGate()


@pytest.fixture
def client(vendor: Vendor, gate: RecordingGate) -> Iterator[IntercomClient]:
    client = PLATFORM.client({"token": TOKEN, "region": "us"}, gate, 4)
    yield client
    client.close()


@pytest.fixture
def service() -> IntercomCompanies:
    return IntercomCompanies()


@pytest.fixture
def known(vendor: Vendor) -> str:
    """The Intercom ID of the company c1, which has a value in every attribute."""
    vendor.switch(
        data_attributes=[SEATS],
        companies=[
            {
                "company_id": "c1",
                "name": "Old",
                "plan": "Pro",
                "size": 10,
                "monthly_spend": 99,
                "industry": "Steel",
                "remote_created_at": 1374138000,
                "custom_attributes": {"seats": 4},
                "created_at": 1534537334,
                "user_count": 2,
            }
        ],
    )
    return str(stored(vendor, "c1")["id"])
