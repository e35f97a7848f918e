"""What a platform must provide: how to connect to a vendor, and how to check a credential."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.parameters import Parameter
    from destinations.contract.limits import Gate


@dataclass(frozen=True)
class Workspace:
    """The vendor account that a credential belongs to: its ID and name at the vendor, and other details to show."""

    id: str
    name: str
    facts: Mapping[str, str] = field(default_factory=dict)


class Client(Protocol):
    """A vendor's API with one credential. Thread-safe."""

    def close(self) -> None: ...


class Platform(ABC):
    """A vendor: how to connect, and how to check a credential."""

    slug: ClassVar[str]
    label: ClassVar[str]
    summary: ClassVar[str] = ""
    """What the platform is, in one sentence for people who choose one."""
    guide: ClassVar[tuple[str, ...]] = ()
    """Where to find the credential: one step a sentence, in order. Screens number them."""
    scopes: ClassVar[tuple[str, ...]] = ()
    """The permissions that the credential needs, as the vendor's own screens name them."""
    parameters: ClassVar[tuple[Parameter, ...]]
    url_variable: ClassVar[str]
    """The environment variable that overrides the API's base address, for sandboxes and tests."""
    sandbox_port: ClassVar[int]
    """The default port of the platform's simulator."""

    @abstractmethod
    def default_url(self, settings: Mapping[str, Any]) -> str:
        """The vendor's real base address for these settings."""

    @abstractmethod
    def client(self, settings: Mapping[str, Any], gate: Gate, threads: int) -> Any:
        """Creates a client for up to `threads` threads. Sends no request."""

    @abstractmethod
    def check(self, client: Any) -> Workspace:
        """Checks the credential with a real request to the vendor.

        Raises:
            Misconfigured: the token is refused, a scope is missing (the message names it), the region is wrong, or the
                plan doesn't include the API.
            Unavailable: there was no usable response.
        """

    def url(self, settings: Mapping[str, Any]) -> str:
        """The base address in effect, without a trailing slash."""
        return (os.environ.get(self.url_variable, "").strip() or self.default_url(settings)).rstrip("/")
