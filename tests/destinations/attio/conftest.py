"""A simulated Attio workspace behind a real socket, and a client for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import requests

from destinations.contract import Field, OpenGate, Operation, Outcome, Purpose, Verb
from destinations.sandbox.http_server import Server
from destinations.services.attio import PLATFORMS
from destinations.services.attio.companies import AttioCompanies
from destinations.services.attio.sandbox.server import AttioSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from destinations.services.attio.client import Client
    from destinations.services.attio.platform import Attio

TOKEN = "attio-test-token"
Write = Callable[..., Outcome]


class CountingGate(OpenGate):
    """Counts the requests that passed, by purpose."""

    def __init__(self) -> None:
        self.passed: list[Purpose] = []

    def wait(self, purpose: Purpose) -> None:
        self.passed.append(purpose)


@pytest.fixture(scope="session")
def running() -> Iterator[Server]:
    """One server for all tests, because stopping a server takes longer than most tests."""
    with Server(AttioSandbox(TOKEN)) as server:
        yield server


@pytest.fixture
def sandbox(running: Server) -> AttioSandbox:
    sandbox = running.sandbox
    assert isinstance(sandbox, AttioSandbox)
    sandbox.reset()
    sandbox.log.clear()
    sandbox.faults.clear()
    sandbox.switches.update(reads_per_second=0, writes_per_second=0)
    return sandbox


@pytest.fixture
def server(running: Server, sandbox: AttioSandbox, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv("ATTIO_API_URL", running.url)
    return running


@pytest.fixture
def platform() -> Attio:
    return PLATFORMS[0]


@pytest.fixture
def service() -> AttioCompanies:
    return AttioCompanies()


@pytest.fixture
def gate() -> CountingGate:
    return CountingGate()


@pytest.fixture
def client(server: Server, platform: Attio, gate: CountingGate) -> Iterator[Client]:
    client = platform.client({"token": TOKEN}, gate, 4)
    yield client
    client.close()


@pytest.fixture
def fields(client: Client, service: AttioCompanies, sandbox: AttioSandbox, gate: CountingGate) -> dict[str, Field]:
    fields = {field.name: field for field in service.fields(client)}
    sandbox.log.clear()
    gate.passed.clear()
    return fields


@pytest.fixture
def switch(server: Server) -> Callable[..., None]:
    """Sets switches of the sandbox over its control path."""

    def set_switches(**values: Any) -> None:
        assert requests.post(f"{server.url}/_sandbox/switches", json=values, timeout=5).status_code == 200

    return set_switches


@pytest.fixture
def api(server: Server) -> Callable[..., requests.Response]:
    """Sends requests to the sandbox as any program would."""

    def send(method: str, path: str, body: Any = None, **kwargs: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {TOKEN}", **kwargs.pop("headers", {})}
        return requests.request(method, f"{server.url}/v2{path}", json=body, headers=headers, timeout=5, **kwargs)

    return send


@pytest.fixture
def write(client: Client, service: AttioCompanies) -> Callable[..., Outcome]:
    """Writes one operation that matches by domain."""

    def send(
        verb: Verb, domain: str, values: dict[str, Any], *, changed: str = "", add: str = "", remote_id: str = ""
    ) -> Outcome:
        operation = Operation(
            verb, "domains", [domain], values, frozenset(changed.split()), frozenset(add.split()), remote_id
        )
        return service.write(client, operation)

    return send


def record(sandbox: AttioSandbox, domain: str) -> dict[str, Any]:
    """The company with this domain, as ID and plain values."""
    return next(entry for entry in sandbox.state()["records"] if domain in entry["values"].get("domains", ()))


def sent(sandbox: AttioSandbox) -> list[tuple[str, dict[str, Any]]]:
    """The method and the values of every write that the sandbox received."""
    return [
        (entry["method"], entry["body"]["data"]["values"])
        for entry in sandbox.log
        if entry["method"] != "GET" and not entry["path"].endswith("/query")
    ]
