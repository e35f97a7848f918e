"""Responses of vendors that are too large, too slow or malformed. A real server sends the bytes."""

from __future__ import annotations

import gzip
import json
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import http
from core.errors import Unavailable
from core.network import transport
from tests.core.raw_server import RawServer, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

NOW = datetime(2026, 5, 23, 14, 42, 0, tzinfo=UTC)
JSON = b"Content-Type: application/json\r\n"


@pytest.fixture
def server() -> Iterator[RawServer]:
    with serving() as server:
        yield server


def ask(server: RawServer) -> requests.Response:
    with http.session() as session:
        return http.send(session, "POST", server.url, headers={}, json={"a": 1})


def problem(server: RawServer) -> Unavailable:
    with pytest.raises(Unavailable) as caught:
        ask(server)
    return caught.value


def whole(content: bytes, headers: bytes = JSON) -> bytes:
    return b"HTTP/1.1 200 OK\r\n" + headers + b"Content-Length: %d\r\n\r\n" % len(content) + content


def test_compressed_response_is_read() -> None:
    with serving() as server:
        server.replies = [whole(gzip.compress(b'{"a": 1}'), JSON + b"Content-Encoding: gzip\r\n")]
        response = ask(server)
    assert (response.status_code, http.body(response)) == (200, {"a": 1})


@pytest.mark.parametrize("status", [b"200 OK", b"302 Found", b"500 Internal Server Error"])
@pytest.mark.parametrize("layers", [1, 2])
def test_compressed_response_is_read_only_up_to_the_limit(
    server: RawServer, monkeypatch: pytest.MonkeyPatch, status: bytes, layers: int
) -> None:
    monkeypatch.setattr(http, "MOST_BYTES", 2**20)
    content = b"0" * (64 * 2**20)
    for _ in range(layers):
        content = gzip.compress(content)
    head = b"HTTP/1.1 " + status + b"\r\nLocation: /x\r\nContent-Encoding: " + b", ".join([b"gzip"] * layers)
    server.replies = [head + b"\r\nContent-Length: %d\r\n\r\n" % len(content) + content]
    failed = problem(server)
    assert (failed.code, failed.ambiguous) == ("answer_too_large", True)
    assert "1 MB" in failed.message


def test_endless_response_is_read_only_up_to_the_limit(server: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MOST_BYTES", 2**20)
    server.replies = [b"HTTP/1.1 200 OK\r\n\r\n"]
    server.then = b"0" * 2**16
    assert problem(server).code == "answer_too_large"


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Long: ",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 ",
        b"",
    ],
    ids=["body", "header", "chunked", "status", "nothing"],
)
def test_response_of_one_byte_at_a_time_ends_at_the_deadline(
    server: RawServer, monkeypatch: pytest.MonkeyPatch, start: bytes
) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", 0.6)
    server.replies, server.then, server.then_every = [start], b"1", 0.1
    started = time.monotonic()
    failed = problem(server)
    assert time.monotonic() - started < 3
    assert failed.code in ("timeout", "answer_cut")
    assert failed.ambiguous


def test_deadline_of_one_response_does_not_apply_to_the_next_on_the_same_connection(
    server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", 0.5)
    server.replies, server.delay = [whole(b"{}"), whole(b"")] * 2, 0.3
    with http.session() as session:
        for _ in range(4):
            http.send(session, "GET", server.url, headers={})
    assert server.connections == 1


@pytest.mark.parametrize(
    "interim",
    [
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\n" * 3,
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n",
    ],
)
def test_interim_response_is_not_taken_for_the_response(server: RawServer, interim: bytes) -> None:
    server.replies = [interim + whole(b'{"a": 1}')]
    response = ask(server)
    assert (response.status_code, http.body(response)) == (200, {"a": 1})


def test_chunk_without_an_end_is_read_only_up_to_the_limit(server: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "MOST_RAW_BYTES", 2**20)
    server.replies, server.then = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n"], b"0" * 2**16
    started = time.monotonic()
    assert problem(server).ambiguous
    assert time.monotonic() - started < http.READ_SECONDS


def test_endless_interim_responses_are_a_failure(server: RawServer) -> None:
    server.replies, server.then = [b""], b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100
    assert problem(server).ambiguous


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\n{} ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-Many: 1\r\n" * 200 + b"\r\n{}",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"1" * 100_000 + b"\r\n\r\n{}",
        b"HTTP/1.1 abc\r\n\r\n{}",
        b"\x00\xff\x00\xff\r\n\r\n",
        b"",
    ],
)
def test_malformed_response_is_an_unclear_outcome(server: RawServer, reply: bytes) -> None:
    server.replies = [reply]
    assert problem(server).ambiguous


@pytest.mark.parametrize("location", [b"http://[", b"//", b"http://\xff\xfe/", b"/ok"])
def test_redirect_is_returned_and_not_looked_at(server: RawServer, location: bytes) -> None:
    server.replies = [b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 2\r\n\r\n{}"]
    response = ask(server)
    assert (response.status_code, response.content) == (302, b"{}")


@pytest.mark.parametrize("content", [b"[" * 200_000, b'{"a":' * 200_000, b"[" * 150 + b"]" * 150, b"[" * 3000])
def test_deeply_nested_json_is_not_valid(server: RawServer, content: bytes) -> None:
    server.replies = [whole(content)]
    assert http.body(ask(server)) is None


def test_many_values_are_valid_if_they_are_not_nested(server: RawServer) -> None:
    value = {"data": [{"a": [1, 2]} for _ in range(1000)]}
    server.replies = [whole(json.dumps(value).encode())]
    assert http.body(ask(server)) == value


def test_characters_that_no_database_stores_are_replaced(server: RawServer) -> None:
    server.replies = [whole(rb'{"\u0000a": ["b\u0000", "\ud800", "\ud83d\ude00", 1]}')]
    assert http.body(ask(server)) == {"\ufffda": ["b\ufffd", "\ufffd", "😀", 1]}


@pytest.mark.parametrize("value", ["99999999999999", "1e300", "Sat, 23 May 9999 14:42:01 GMT"])
def test_requested_wait_has_a_limit(value: str) -> None:
    assert http.retry_after({"Retry-After": value}, NOW) == http.LONGEST_WAIT_SECONDS


@given(st.one_of(st.text(), st.from_regex(r"\w{3}, \d{1,5} \w{3} \d{1,6} \d{1,3}:\d\d:\d\d [+-]?\w{1,12}")))
def test_any_date_or_wait_is_read_or_ignored(text: str) -> None:
    moment = http.date(text)
    assert moment is None or moment.tzinfo is UTC
    seconds = http.retry_after({"Retry-After": text}, NOW)
    assert seconds is None or 0 <= seconds <= http.LONGEST_WAIT_SECONDS


def test_threads_share_a_session(server: RawServer) -> None:
    server.replies = [whole(b"{}")] * 8
    with http.session(4) as session:
        statuses: list[int] = []

        def send() -> None:
            statuses.append(http.send(session, "GET", server.url, headers={}).status_code)

        threads = [threading.Thread(target=send) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=10)
    assert statuses == [200] * 8
