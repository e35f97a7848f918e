"""Requests go only to permitted addresses, and to the address that was checked."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from core import http
from core.errors import Misconfigured, Unavailable
from tests.core.network.rebinding import NAME, rebind
from tests.core.raw_server import RawServer, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
LOCAL = "127.0.0.0/8, ::1/128"
RESERVED = [
    "169.254.169.254",
    "2852039166",
    "0xA9FEA9FE",
    "0251.0376.0251.0376",
    "[::ffff:a9fe:a9fe]",
    "[fd00:ec2::254]",
]


def send(url: str) -> int:
    with http.session() as session:
        return http.send(session, "GET", url, headers={}).status_code


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", RESERVED)
def test_reserved_address_gets_no_request_however_it_is_written(scheme: str, host: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        send(f"{scheme}://{host}/latest/meta-data/")
    assert caught.value.code == "address_refused"
    assert "meta-data" not in caught.value.message


@pytest.fixture
def server() -> Iterator[RawServer]:
    with serving() as running:
        running.replies += [OK, OK]
        yield running


def test_refused_network_gets_no_request(server: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFUSED_NETWORKS", LOCAL)
    for url in (
        server.url,
        server.url.replace("127.0.0.1", "localhost"),
        server.url.replace("127.0.0.1", "2130706433"),
    ):
        with pytest.raises(Misconfigured, match="network policy"):
            send(url)
    assert server.connections == 0


def test_only_allowed_networks_get_requests(server: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_NETWORKS", "10.0.0.0/8")
    with pytest.raises(Misconfigured):
        send(server.url)
    monkeypatch.setenv("ALLOWED_NETWORKS", LOCAL)
    assert send(server.url) == 200


def test_name_is_resolved_once_for_the_check_and_the_connection(
    server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever answers for the name can't lead the request to a different address than the one that was checked."""
    asked = rebind(monkeypatch)
    assert send(server.url.replace("127.0.0.1", NAME)) == 200
    assert len(asked) == 1


def test_next_address_of_a_name_is_used_if_the_first_is_closed(
    server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = server.listener.getsockname()[1]
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("127.0.0.77", "127.0.0.1")]
    resolve = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *_, **__: found if host == "two.example.com" else resolve(host, *_, **__)
    )
    assert send(server.url.replace("127.0.0.1", "two.example.com")) == 200


def test_name_that_does_not_exist_looks_like_a_closed_port() -> None:
    codes = set()
    for url in ("http://no-such-host.invalid/", "http://127.0.0.1:1/", f"http://{'a' * 70}.example.com/"):
        with pytest.raises(Unavailable) as caught:
            send(url)
        codes.add(caught.value.code)
    assert codes == {"unreachable"}
