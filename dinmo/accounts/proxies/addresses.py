"""The client's address of a request that a trusted proxy forwarded."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.http import HttpRequest, HttpResponse

Networks = tuple[IPv4Network | IPv6Network, ...]
PEER = "dinmo.peer"
"""The key in `request.META` for the address of the TCP connection."""
LOCAL = "127.0.0.1"
LONGEST_CHAIN = 20
SOCKET = "dinmo.unix_socket"
"""The key in `request.META` for whether the connection came through a Unix socket, as from a proxy."""


class ClientAddress:
    """Middleware that must come first: it sets REMOTE_ADDR to the client's address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # A connection through a Unix socket has no address, and comes from this machine.
        peer = request.META.get("REMOTE_ADDR") or LOCAL
        forwarded = request.headers.get("X-Forwarded-For", "")
        request.META[PEER] = peer
        request.META[SOCKET] = not request.META.get("REMOTE_ADDR")
        request.META["REMOTE_ADDR"] = client_address(peer, forwarded.split(","), settings.TRUSTED_PROXIES)
        return self.get_response(request)


def remote_address(request: HttpRequest) -> str | None:
    """The client's address, set by the middleware."""
    return request.META.get("REMOTE_ADDR")


def came_from_proxy(request: HttpRequest) -> bool:
    """Whether a trusted proxy forwarded the request."""
    return is_in(request.META.get(PEER, ""), settings.TRUSTED_PROXIES)


def client_address(peer: str, forwarded: Sequence[str], trusted: Networks) -> str:
    """The last address that no trusted proxy has.

    Args:
        peer: where the connection comes from.
        forwarded: the addresses of X-Forwarded-For. Each proxy appends one, so anybody can have written the first ones.
    """
    address = peer
    for text in reversed(forwarded[-LONGEST_CHAIN:]):
        if not is_in(address, trusted):
            break
        address = _address(text) or address
    return address


def is_in(address: str, trusted: Networks) -> bool:
    """Whether an address is in one of the networks. False if it is not an address."""
    valid = _address(address)
    return bool(valid) and any(ip_address(valid) in network for network in trusted)


def networks(text: str) -> Networks:
    """Networks and single addresses, separated by commas. Raises ValueError if one of them is not valid."""
    return tuple(ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


def _address(text: str) -> str:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
