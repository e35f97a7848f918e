"""A name that leads to this machine when it is checked, and to a metadata service when it is resolved again."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

NAME = "rebinding.example.com"


def rebind(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Lets the name rebind. The list has an entry for each time that it was resolved."""
    resolve, asked = socket.getaddrinfo, []

    def answer(host: str, *arguments: Any, **options: Any) -> Any:
        if host == NAME:
            asked.append(host)
            host = "127.0.0.1" if len(asked) == 1 else "169.254.169.254"
        return resolve(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked
