"""Which servers a source may connect to, what they may ask for, and what a person learns about them."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from core.errors import Misconfigured, Problem, Unavailable
from core.parameters import Parameter
from segments.engines import hosts
from segments.registry import engines
from tests.core.network.rebinding import NAME, rebind
from tests.segments.places import Place, mysql_settings, postgres_settings, refusal, values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SETTINGS = {"database": "shop", "user": "reader", "password": "hush-hush"}
DATABASES = ("postgres", "mysql")


class Fake(socketserver.ThreadingTCPServer):
    """A server that sends a greeting, answers each message in turn, and then stays silent or hangs up."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, greeting: bytes, answers: tuple[bytes, ...] = (), *, hangs_up: bool = False) -> None:
        self.greeting, self.answers, self.hangs_up = greeting, answers, hangs_up
        self.received = b""
        self.ended = threading.Event()
        super().__init__(("127.0.0.1", 0), Talk)

    @property
    def settings(self) -> dict[str, Any]:
        return {**SETTINGS, "host": "127.0.0.1", "port": self.server_address[1]}


class Talk(socketserver.BaseRequestHandler):
    server: Fake

    def handle(self) -> None:
        self.request.sendall(self.server.greeting)
        for answer in self.server.answers:
            self.server.received += self.request.recv(65536)
            self.request.sendall(answer)
        if not self.server.hangs_up:
            self.request.settimeout(5)
            try:
                while chunk := self.request.recv(65536):
                    self.server.received += chunk
            except OSError:
                return


@contextmanager
def fake(*args: Any, **options: Any) -> Iterator[Fake]:
    with Fake(*args, **options) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


def problem_of(slug: str, settings: dict[str, Any]) -> Problem:
    return refusal(Place(slug, "", settings))


@pytest.mark.parametrize("slug", [*DATABASES, "redshift"])
@pytest.mark.parametrize(
    "host",
    [
        "/var/run/postgresql",
        "@abstract",
        "a.example.com,b.example.com",
        "db.example.com:5432",
        "user@db.example.com",
        "db.example.com/x",
        "a b",
        "a\nb",
        "a\x00b",
        "http://db",
        "[::1]",
    ],
)
def test_host_is_a_single_name_or_address(slug: str, host: str) -> None:
    (parameter,) = (each for each in engines[slug].parameters if each.name == "host")
    with pytest.raises(Misconfigured) as caught:
        parameter.clean(host)
    assert (caught.value.code, caught.value.where) == ("parameter_invalid", "host")
    assert problem_of(slug, {**SETTINGS, "host": host}).code in ("source_host", "driver_missing")


@pytest.mark.parametrize(
    "host", ["db", "db-1.example.com", "10.0.0.1", "::1", "2001:db8::1", "my_db", "bücher.example"]
)
def test_usual_hosts_are_accepted(host: str) -> None:
    assert Parameter("host", "Host", kind="host").clean(f" {host} ") == host


@pytest.mark.parametrize("slug", DATABASES)
@pytest.mark.parametrize("host", ["169.254.169.254", "2852039166", "0xA9FEA9FE", "::ffff:169.254.169.254", "0.0.0.0"])
def test_reserved_addresses_are_refused_however_they_are_written(slug: str, host: str) -> None:
    problem = problem_of(slug, {**SETTINGS, "host": host})
    assert (type(problem), problem.code) == (Misconfigured, "source_host")


@pytest.mark.parametrize("slug", DATABASES)
def test_name_that_leads_to_a_reserved_address_is_refused(slug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert problem_of(slug, {**SETTINGS, "host": "innocent.example.com"}).code == "source_host"


@pytest.mark.parametrize("slug", DATABASES)
def test_network_policy_decides_by_the_address_behind_a_name(slug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with fake(b"", (), hangs_up=True) as server:
        local = {**server.settings, "host": "localhost"}
        monkeypatch.setenv("REFUSED_NETWORKS", "127.0.0.0/8,::1/128")
        assert problem_of(slug, local).code == "source_host"
        monkeypatch.delenv("REFUSED_NETWORKS")
        monkeypatch.setenv("ALLOWED_NETWORKS", "10.0.0.0/8")
        assert problem_of(slug, local).code == "source_host"
        monkeypatch.setenv("ALLOWED_NETWORKS", "127.0.0.1,::1")
        assert problem_of(slug, local).code == "source_unreachable"


@pytest.mark.parametrize("slug", DATABASES)
def test_name_is_resolved_only_once(slug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever answers for the name can't lead the driver to a different address than the one that was checked."""
    asked = rebind(monkeypatch)
    monkeypatch.setattr(f"segments.engines.{slug}.session.CONNECT_SECONDS", 2)
    with fake(b"", (b"N",), hangs_up=True) as server:
        problem_of(slug, {**server.settings, "host": NAME, "sslmode": "prefer"})
        assert asked == [NAME]
        if slug == "postgres":
            assert server.received


@pytest.mark.parametrize("slug", DATABASES)
def test_password_is_encrypted_by_default_except_on_this_machine(slug: str) -> None:
    (parameter,) = (each for each in engines[slug].parameters if each.name == "sslmode")
    for mode in (parameter.default, parameter.clean(None), None):
        assert hosts.Server("db", 1, ("10.0.0.1",)).encryption(mode) == "require"
        assert hosts.Server("db", 1, ("127.0.0.1", "10.0.0.1")).encryption(mode) == "require"
        assert hosts.Server("localhost", 1, ("127.0.0.1", "::1")).encryption(mode) == "prefer"
    assert hosts.Server("db", 1, ("10.0.0.1",)).encryption("prefer") == "prefer"


def test_unencrypted_server_elsewhere_gets_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts.Server, "is_local", False)
    with fake(b"", (b"N",)) as server:
        assert problem_of("postgres", server.settings).code == "source_ssl"
        assert b"hush" not in server.received
    with fake(greeting(CLIENT_FLAGS & ~SSL)) as server:
        assert problem_of("mysql", server.settings).code == "source_ssl"
        assert b"hush" not in server.received


SSL = 0x800
CLIENT_FLAGS = 0x00FFF7FF & ~SSL


def packet(number: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes([number]) + payload


def greeting(flags: int, plugin: bytes = b"mysql_native_password") -> bytes:
    """The first packet of a MySQL server (Protocol::HandshakeV10)."""
    payload = b"\x0a8.0.36\x00" + struct.pack("<I", 7) + b"12345678\x00" + struct.pack("<H", flags & 0xFFFF)
    payload += b"\x21" + struct.pack("<HH", 2, flags >> 16) + b"\x15" + bytes(10) + b"123456789012\x00" + plugin + b"\0"
    return packet(0, payload)


OK = b"\x00\x00\x00\x02\x00\x00\x00"


@pytest.mark.parametrize("method", [b"mysql_clear_password\x00", b"dialog\x00\x02Password: "])
def test_mysql_password_is_not_sent_in_clear_text(method: bytes) -> None:
    with fake(greeting(CLIENT_FLAGS), (packet(2, b"\xfe" + method),)) as server:
        problem = problem_of("mysql", {**server.settings, "sslmode": "prefer"})
        assert (problem.code, b"hush" in server.received) == ("source_clear_text", False)


@pytest.mark.parametrize("mode", ["prefer", "disable", "automatic"])
def test_postgres_password_is_not_sent_in_clear_text(mode: str) -> None:
    asks = b"R" + struct.pack("!II", 8, 3)
    with fake(b"", (asks,) if mode == "disable" else (b"N", asks)) as server:
        problem = problem_of("postgres", {**server.settings, "sslmode": mode})
        assert (problem.code, b"hush" in server.received) == ("source_clear_text", False)


@pytest.mark.parametrize("slug", DATABASES)
@pytest.mark.parametrize("mode", ["prefer", "require", "disable"])
def test_closed_silent_and_speaking_ports_look_the_same(slug: str, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"segments.engines.{slug}.session.CONNECT_SECONDS", 2)
    messages = set()
    speakers: list[Callable[[], Any]] = [
        lambda: fake(b"", ()),
        lambda: fake(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", ()),
        lambda: fake(b"", (b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",), hangs_up=True),
        lambda: fake(b"220 mail.example.com ESMTP SSL certificate\r\n", (b"500 what?\r\n",), hangs_up=True),
        lambda: fake(b"", (), hangs_up=True),
    ]
    for speaker in speakers:
        with speaker() as server:
            problem = problem_of(slug, {**server.settings, "sslmode": mode})
            messages.add((type(problem), problem.code, problem.message.replace(str(server.settings["port"]), "N")))
            closed = server.settings
    problem = problem_of(slug, {**closed, "sslmode": mode})
    messages.add((type(problem), problem.code, problem.message.replace(str(closed["port"]), "N")))
    assert {(kind, code) for kind, code, _ in messages} == {(Unavailable, "source_unreachable")}
    assert len(messages) == 1


class TestMySQLServerThatMisbehaves:
    """Its answers become typed errors, and it gets no file."""

    ANSWERS: ClassVar[list[tuple[bytes, str]]] = [
        (packet(1, b"\xfb/etc/passwd"), "source_protocol"),
        (packet(1, b""), "source_protocol"),
        (packet(1, b"\xfe"), "source_protocol"),
        (packet(1, b"\xff"), "source_protocol"),
        (packet(1, b"\x01") + packet(2, b"\x03def"), "source_protocol"),
        (packet(1, b"\xfc\xff"), "source_protocol"),
    ]

    @pytest.mark.parametrize(("answer", "code"), ANSWERS)
    def test_after_the_sign_in(self, answer: bytes, code: str) -> None:
        settled = tuple(packet(1, OK) for _ in range(8))
        with fake(greeting(CLIENT_FLAGS), (packet(2, OK), *settled, answer, answer)) as server:
            place = Place("mysql", "", {**server.settings, "sslmode": "prefer"})
            with place.open(3) as reader, pytest.raises(Problem) as caught:
                reader.columns(sql="select 1 as x")
            assert caught.value.code == code
            assert b"root:" not in server.received

    @pytest.mark.parametrize(
        "answer",
        [packet(2, b"\xfb/etc/passwd"), packet(2, b""), packet(2, b"\xfe"), packet(2, b"\xfe\xff\xff"), b"\xff"],
    )
    def test_at_the_sign_in(self, answer: bytes) -> None:
        with fake(greeting(CLIENT_FLAGS), (answer,), hangs_up=True) as server:
            problem = problem_of("mysql", {**server.settings, "sslmode": "prefer"})
            assert problem.code in ("source_unreachable", "source_protocol", "source_clear_text")


@pytest.mark.usefixtures("postgres")
def test_name_of_a_database_holds_no_settings() -> None:
    settings = {**postgres_settings(), "database": "host=10.0.0.1 dbname=test"}
    assert problem_of("postgres", settings).code == "source_database"


@pytest.mark.usefixtures("postgres", "mysql")
def test_server_on_this_machine_needs_no_encryption() -> None:
    for slug, settings in (("postgres", postgres_settings()), ("mysql", mysql_settings())):
        del settings["sslmode"]
        assert values(Place(slug, "", settings), "select 1 as x") == [{"x": 1}]
