"""Resolves names once, and only to addresses that the installation's network policy permits."""

from __future__ import annotations

import os
import socket
from functools import lru_cache

from core.errors import Misconfigured
from core.network.addresses import Policy, networks

ALLOWED, REFUSED = "ALLOWED_NETWORKS", "REFUSED_NETWORKS"
"""Environment variables: networks such as 10.0.0.0/8, separated by commas."""


def current() -> Policy:
    """The policy of the environment.

    Raises:
        Misconfigured: a variable holds something else than networks.
    """
    return _policy(os.environ.get(ALLOWED, ""), os.environ.get(REFUSED, ""))


def is_restricted() -> bool:
    """Whether the installation allows or refuses networks of its own."""
    return current() != Policy()


def resolve(host: str, port: int) -> tuple[str, ...]:
    """The addresses of a host. Whoever connects must use these, because the name may resolve differently next time.

    Raises:
        Misconfigured: one of the addresses is not permitted.
        OSError, UnicodeError: the name can't be resolved.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = tuple(dict.fromkeys(str(address[0]).partition("%")[0] for *_, address in found))
    policy = current()
    if not all(policy.permits(address) for address in addresses):
        raise Misconfigured(
            "address_refused",
            f"Connections to {host} are not allowed: its address is reserved, or the network policy refuses it. Check "
            "the address, or ask whoever runs this installation to allow it.",
        )
    return addresses


@lru_cache(maxsize=4)
def _policy(allowed: str, refused: str) -> Policy:
    try:
        return Policy(networks(allowed.split(",")), networks(refused.split(",")))
    except ValueError as error:
        raise Misconfigured(
            "network_policy_invalid",
            f"{ALLOWED} and {REFUSED} must be networks such as 10.0.0.0/8, separated by commas. Correct them.",
            detail=str(error),
        ) from None
