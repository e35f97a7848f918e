"""The addresses of servers, resolved and checked once, so that a driver connects to what was checked."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

from core.errors import Misconfigured
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
METADATA = tuple(
    ip_network(network) for network in ("100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", "fd00:ec2::/32")
)
"""Services of cloud providers that hand out credentials, at addresses that are not link-local."""
_NAT64 = ip_network("64:ff9b::/96")


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
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise unreachable(host, port, str(error)) from None
    addresses = tuple(dict.fromkeys(str(address[0]).partition("%")[0] for *_, address in found))
    if any(is_refused(address) for address in addresses):
        message = (
            "This host can't be used: its address is reserved for services of the network. Enter a database's host."
        )
        raise Misconfigured("source_host", message, where="host")
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


def is_refused(address: str) -> bool:
    """PURE. Whether an address is link-local, of a cloud provider's metadata service, or not of a single host."""
    parsed = _embedded(ip_address(address))
    return (
        parsed.is_link_local
        or parsed.is_multicast
        or parsed.is_unspecified
        or any(parsed in network for network in METADATA if network.version == parsed.version)
    )


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


def _embedded(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 address stands for; any other address is returned unchanged."""
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address
