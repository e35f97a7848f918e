"""A simulated workspace served over a real socket, and a client of it made the way the product makes one."""

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

if TYPE_CHECKING:
    from collections.abc import Iterator

    from destinations.services.intercom.client import IntercomClient

TOKEN = "dG9rOnNlY3JldA=="


class NotingGate(OpenGate):
    """Lets everything pass and notes what it was asked and told."""

    def __init__(self) -> None:
        self.waited: list[Purpose] = []
        self.learned: list[tuple[Purpose, Quota]] = []

    def wait(self, purpose: Purpose) -> None:
        self.waited.append(purpose)

    def learn(self, purpose: Purpose, quota: Quota) -> None:
        self.learned.append((purpose, quota))


class Vendor:
    """The simulator as a test sees it: its state, its log, and raw requests to it."""

    def __init__(self, url: str, sandbox: IntercomSandbox) -> None:
        self.url = url
        self.sandbox = sandbox

    def switch(self, **wanted: Any) -> None:
        requests.post(f"{self.url}/_sandbox/switches", json=wanted, timeout=10)

    def fail(self, **fault: Any) -> None:
        self.sandbox.faults.append(Fault(**fault))

    def call(
        self, method: str, path: str, json: Any = None, headers: dict[str, str] | None = None, **more: Any
    ) -> requests.Response:
        sent = {
            "Authorization": f"Bearer {TOKEN}",
            "Accept": "application/json",
            "Intercom-Version": "2.16",
            **(headers or {}),
        }
        return requests.request(method, self.url + path, json=json, headers=sent, timeout=10, **more)

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
def gate() -> NotingGate:
    return NotingGate()


@pytest.fixture
def client(vendor: Vendor, gate: NotingGate) -> Iterator[IntercomClient]:
    made = PLATFORM.client({"token": TOKEN, "region": "us"}, gate, 4)
    yield made
    made.close()


@pytest.fixture
def service() -> IntercomCompanies:
    return IntercomCompanies()
