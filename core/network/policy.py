"""Resolves each host name once, and only to addresses allowed by the network policy of the installation."""

from __future__ import annotations

import os
import socket
from functools import lru_cache

from core.errors import Misconfigured
from core.network.addresses import Policy, networks

ALLOWED, REFUSED = "ALLOWED_NETWORKS", "REFUSED_NETWORKS"
"""Environment variables: networks such as 10.0.0.0/8, separated by commas."""


def current() -> Policy:
    """The policy set in the environment.

    Raises:
        Misconfigured: a variable is not a list of networks.
    """
    return _policy(os.environ.get(ALLOWED, ""), os.environ.get(REFUSED, ""))


def is_restricted() -> bool:
    """Whether the environment sets a policy."""
    return current() != Policy()


def resolve(host: str, port: int) -> tuple[str, ...]:
    """The addresses of a host. Connect to these, because the name can resolve differently the next time.

    Raises:
        Misconfigured: one of the addresses is not allowed.
        OSError, UnicodeError: the name can't be resolved.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = tuple(dict.fromkeys(str(address[0]).partition("%")[0] for *_, address in found))
    policy = current()
    if not all(policy.permits(address) for address in addresses):
        raise Misconfigured(
            "address_refused",
            f"Connections to {host} are not allowed: its address is reserved, or refused by the network policy. Check "
            "the address, or ask an administrator to allow it.",
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
