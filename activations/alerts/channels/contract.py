"""What a channel provides: its settings, and one function that sends a message."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from activations.alerts.message import Message
    from core.parameters import Parameter


class Channel(ABC):
    """A way to send alerts.

    Attributes:
        slug: its name in the database and in the workspace file.
        parameters: its settings. A webhook's address is a secret: whoever knows it can post there.
    """

    slug: ClassVar[str]
    label: ClassVar[str]
    help: ClassVar[str]
    parameters: ClassVar[tuple[Parameter, ...]]

    def problem(self) -> str:
        """Why this installation can't send anything this way, in one sentence; "" if it can."""
        return ""

    @abstractmethod
    def validate(self, settings: Mapping[str, Any]) -> None:
        """Raises Misconfigured if the settings can't be right, without a request."""

    @abstractmethod
    def send(self, settings: Mapping[str, Any], message: Message) -> None:
        """Sends a message.

        Args:
            settings: the parameters by name, secrets included.

        Raises:
            Problem: it was not accepted. The message names no secret.
        """
