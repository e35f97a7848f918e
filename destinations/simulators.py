"""The vendor simulators that run beside this installation: their addresses, pages and token. Read from the environment.

`make up` starts them, and sets `SIMULATORS` to the platforms whose requests go to one, such as `attio intercom`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from destinations.registry import platforms

if TYPE_CHECKING:
    from destinations.contract import Platform

VARIABLE = "SIMULATORS"
DEFAULT_TOKEN = "sandbox-token"  # noqa: S105


@dataclass(frozen=True)
class Simulator:
    """A simulated workspace of a vendor on this machine.

    Args:
        token: the token that it accepts. Not a secret: it opens nothing else.
    """

    platform: Platform
    url: str
    token: str

    @property
    def page(self) -> str:
        """The page that shows its records and the requests that it received."""
        return f"{self.url}/_sandbox"


def running() -> dict[str, Simulator]:
    """The simulators by platform; empty unless this installation sends its requests to them."""
    named = os.environ.get(VARIABLE, "").split()
    return {slug: _simulator(platforms[slug]) for slug in named if slug in platforms.all and _address(platforms[slug])}


def token() -> str:
    """The token that simulators accept."""
    return os.environ.get("SANDBOX_TOKEN") or DEFAULT_TOKEN


def _simulator(platform: Platform) -> Simulator:
    return Simulator(platform, _address(platform), token())


def _address(platform: Platform) -> str:
    return os.environ.get(platform.url_variable, "").strip().rstrip("/")
