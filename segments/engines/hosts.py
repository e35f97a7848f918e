"""The addresses of servers, resolved and checked once, so that a driver connects to what was checked."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from core.errors import Misconfigured
from core.network import policy
from core.parameters import HOST
from segments.engines.failures import unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

SSL_MODES = (
    ("automatic", "Always encrypted, except on this machine, where only if the server supports it"),
    ("prefer", "Encrypted if the server supports it"),
    ("require", "Always encrypted"),
    ("verify-ca", "Always encrypted, and the server's certificate is verified"),
    ("verify-full", "Always encrypted, and the server's certificate and host name are verified"),
    ("disable", "Never encrypted"),
)
REACH_SECONDS = 5.0


@dataclass(frozen=True)
class Server:
    """A server, with the addresses to which its name resolved. A driver must connect to these, not resolve it again."""

    host: str
    port: int
    addresses: tuple[str, ...]

    @property
    def is_local(self) -> bool:
        """Whether the server can only be this machine."""
        return all(ip_address(address).is_loopback for address in self.addresses)

    def encryption(self, mode: str | None) -> str:
        """The encryption mode to use for this server."""
        if mode and mode != "automatic":
            return mode
        return "prefer" if self.is_local else "require"


def find(host: str, port: int) -> Server:
    """The server with this name.

    Raises:
        Misconfigured: the name is not that of one host, or it leads to an address that no database has.
        Unavailable: the name can't be resolved.
    """
    if not HOST.fullmatch(host):
        raise Misconfigured(
            "source_host",
            "The host must be one host name or IP address, such as db.example.com, without a port or path. Correct it.",
            where="host",
        )
    try:
        addresses = policy.resolve(host, port)
    except (OSError, UnicodeError) as error:
        raise unreachable(host, port, str(error)) from None
    except Misconfigured:
        message = (
            "This host can't be used: its address is reserved for services of the network, or the network policy of "
            "this installation refuses it. Enter a database's host."
        )
        raise Misconfigured("source_host", message, where="host") from None
    return Server(host, port, addresses)


def reach(host: str, port: int) -> Iterator[str]:
    """The stages of reaching a server: its name is resolved, and its port answers.

    Raises:
        Misconfigured, Unavailable: as `find` and `connected`.
    """
    server = find(host, port)
    yield "found the host"
    connected(server, REACH_SECONDS).close()
    yield f"port {port} answers"


def permit(host: str, port: int) -> None:
    """Checks the host of a driver that resolves names itself, if the installation has a network policy of its own.

    Raises:
        Misconfigured, Unavailable: as `find`.
    """
    if policy.is_restricted():
        find(host, port)


def connected(server: Server, seconds: float) -> socket.socket:
    """A connection to the first address that accepts one.

    Raises:
        Unavailable: none does.
    """
    problem: OSError | None = None
    for address in server.addresses:
        try:
            connection = socket.create_connection((address, server.port), seconds)
        except OSError as error:
            problem = error
            continue
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return connection
    raise unreachable(server.host, server.port, str(problem)) from None
