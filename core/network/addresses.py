"""PURE. Decides which IP addresses connections can use, in any notation."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

METADATA: tuple[Network, ...] = tuple(
    ip_network(network)
    for network in (
        "100.100.100.200/32",
        "168.63.129.16/32",
        "192.0.0.192/32",
        "fd00:ec2::/32",
        "fd20:ce::/32",
    )
)
"""Metadata services of cloud providers, which return credentials, at addresses that are not link-local."""
_THIS_NETWORK = ip_network("0.0.0.0/8")
_COMPATIBLE = ip_network("::/96")
_NAT64 = tuple(ip_network(network) for network in ("64:ff9b::/96", "64:ff9b:1::/48"))


@dataclass(frozen=True)
class Policy:
    """The networks that an installation allows and refuses.

    Args:
        allowed: the only networks allowed; all are, if empty.
        refused: networks that are never allowed. Takes precedence over `allowed`.
    """

    allowed: tuple[Network, ...] = ()
    refused: tuple[Network, ...] = ()

    def permits(self, address: str) -> bool:
        """Whether connections to this IP address are allowed. Reserved addresses never are."""
        parsed = embedded(ip_address(address))
        if _is_reserved(parsed) or _contains(self.refused, parsed):
            return False
        return not self.allowed or _contains(self.allowed, parsed)


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Parses networks such as `10.0.0.0/8`, or single addresses. Raises ValueError if one is invalid."""
    return tuple(ip_network(text.strip()) for text in texts if text.strip())


def is_reserved(address: str) -> bool:
    """Whether an address is link-local, a cloud metadata service, or doesn't belong to a single host."""
    return _is_reserved(embedded(ip_address(address)))


def embedded(address: Address) -> Address:
    """The IPv4 address embedded in an IPv6 address; any other address is returned unchanged."""
    if isinstance(address, IPv4Address):
        return address
    low = int(address) & 0xFFFFFFFF
    if any(address in network for network in _NAT64) or (address in _COMPATIBLE and low > 1):
        return IPv4Address(low)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)


def _is_reserved(address: Address) -> bool:
    return (
        address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or str(address) == "255.255.255.255"
        or _contains((_THIS_NETWORK, *METADATA), address)
    )


def _contains(networks: Iterable[Network], address: Address) -> bool:
    return any(network.version == address.version and address in network for network in networks)
