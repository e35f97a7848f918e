"""The base of every client: the gate, the quota, and what a failure means, over a real socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core import http
from core.errors import Misconfigured, Problem, Rejected, Unavailable
from destinations.contract import OpenGate, Purpose, Quota
from destinations.sandbox.http_server import Server
from destinations.sandbox.wire import Fault
from tests.destinations.kit.vendor import AcmeClient, AcmeSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "kit-test-token"
HTML = "<html>Bad gateway</html>"


class RecordingGate(OpenGate):
    """Records the calls that it receives, in order."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Purpose]] = []
        self.quotas: list[Quota] = []

    def wait(self, purpose: Purpose) -> None:
        self.calls.append(("wait", purpose))

    def learn(self, purpose: Purpose, quota: Quota) -> None:
        self.calls.append(("learn", purpose))
        self.quotas.append(quota)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(AcmeSandbox(TOKEN)) as server:
        yield server


@pytest.fixture
def sandbox(server: Server) -> AcmeSandbox:
    sandbox = server.sandbox
    assert isinstance(sandbox, AcmeSandbox)
    sandbox.switches.clear()
    sandbox.reset()
    sandbox.faults.clear()
    return sandbox


@pytest.fixture
def gate() -> RecordingGate:
    return RecordingGate()


@pytest.fixture
def client(server: Server, sandbox: AcmeSandbox, gate: RecordingGate) -> Iterator[AcmeClient]:
    client = AcmeClient(server.url, {"Authorization": f"Bearer {TOKEN}"}, gate, 2, secret=TOKEN)
    yield client
    client.close()


def problem(client: AcmeClient, purpose: Purpose, method: str, path: str, **content: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        client.call(purpose, method, path, **content)
    return caught.value


def test_every_answer_waits_first_and_reports_its_quota(client: AcmeClient, gate: RecordingGate) -> None:
    client.call(Purpose.WRITE, "PUT", "/companies", json={"key": "a"})
    problem(client, Purpose.LOOKUP, "GET", "/companies/none")
    assert gate.calls == [
        ("wait", Purpose.WRITE), ("learn", Purpose.WRITE), ("wait", Purpose.LOOKUP), ("learn", Purpose.LOOKUP)
    ]  # fmt: skip
    assert [quota.remaining for quota in gate.quotas] == [99, 98]


@pytest.mark.parametrize("action", ["cut", "cut_after"])
@pytest.mark.parametrize(
    ("purpose", "method", "ambiguous"),
    [(Purpose.WRITE, "PUT", True), (Purpose.DISCOVERY, "PUT", True), (Purpose.LOOKUP, "PUT", False),
     (Purpose.DISCOVERY, "GET", False)],
)  # fmt: skip
def test_lost_answer_is_ambiguous_unless_the_request_only_reads(
    client: AcmeClient, sandbox: AcmeSandbox, action: str, purpose: Purpose, method: str, ambiguous: bool
) -> None:
    sandbox.faults.append(Fault(action))
    found = problem(client, purpose, method, "/companies", json={"key": "a"})
    assert isinstance(found, Unavailable)
    assert found.ambiguous is ambiguous


def test_exhausted_window_is_waited_for(client: AcmeClient, sandbox: AcmeSandbox) -> None:
    sandbox.switches.update(requests_per_window=1, window_seconds=3600)
    client.call(Purpose.WRITE, "PUT", "/companies", json={"key": "a"})
    sandbox.faults.append(
        Fault("reply", status=429, body={}, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "9999999999"})
    )
    by_window = problem(client, Purpose.WRITE, "PUT", "/companies", json={"key": "b"})
    by_header = problem(client, Purpose.WRITE, "PUT", "/companies", json={"key": "b"})
    assert isinstance(by_window, Unavailable)
    assert isinstance(by_header, Unavailable)
    assert (by_window.throttled, by_header.throttled) == (True, True)
    assert by_window.retry_after is not None
    assert by_window.retry_after == pytest.approx(http.LONGEST_WAIT_SECONDS, abs=1)
    assert by_header.retry_after == 1


def test_record_is_gone_only_if_the_vendors_api_says_so(client: AcmeClient, sandbox: AcmeSandbox) -> None:
    assert client.call_or_none(Purpose.LOOKUP, "GET", "/companies/none") is None
    for body in (HTML, "", "null"):
        sandbox.faults.append(Fault("reply", status=404, body=body))
        with pytest.raises(Unavailable):
            client.call_or_none(Purpose.LOOKUP, "GET", "/companies/none")


def test_values_and_token_that_the_vendor_repeats_are_not_shown(client: AcmeClient, sandbox: AcmeSandbox) -> None:
    error = {"error": {"code": "odd", "message": f"'Quillfeather' and {TOKEN} are odd"}}
    sandbox.faults.append(Fault("reply", status=422, body=error))
    found = problem(client, Purpose.WRITE, "PUT", "/companies", json={"name": "Quillfeather"})
    assert isinstance(found, Rejected)
    assert "'[value]' and [value] are odd (odd)" in found.message
    assert found.request_id == ""


@pytest.mark.parametrize("url", ["", "acme.com", "ftp://acme.com", "http://", "http://["])
def test_address_that_is_none_names_its_variable(gate: RecordingGate, url: str) -> None:
    with pytest.raises(Misconfigured, match="ACME_API_URL") as refused:
        AcmeClient(url, {}, gate, 1)
    assert (refused.value.code, refused.value.where) == ("api_url_invalid", "ACME_API_URL")


def test_revoked_token_and_a_broken_simulator_are_told_apart(client: AcmeClient, sandbox: AcmeSandbox) -> None:
    broken = problem(client, Purpose.WRITE, "POST", "/broken", json={})
    assert isinstance(broken, Unavailable)
    assert "The simulator raised KeyError" in broken.message
    sandbox.switches["revoked"] = True
    assert isinstance(problem(client, Purpose.WRITE, "POST", "/broken", json={}), Misconfigured)
