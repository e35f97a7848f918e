"""Puts the vendors of this folder into the registries, as if their folders were in `destinations/services`."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import destinations.services
from destinations.registry import platforms, samples, services
from destinations.sandbox.registry import sandboxes

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent
REGISTRIES = (platforms, services, samples, sandboxes)


@contextmanager
def registered() -> Iterator[None]:
    """Within this context, every vendor of the folder is registered."""
    destinations.services.__path__.append(str(FOLDER))
    _forget()
    try:
        yield
    finally:
        destinations.services.__path__.remove(str(FOLDER))
        _forget()


def _forget() -> None:
    """Makes the registries look again."""
    for registry in REGISTRIES:
        registry.__dict__.pop("all", None)
