"""PURE. How Attio may store a domain."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import idna

from destinations.kit.values.domains import normalize, root_domain

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["normalize", "root_domain", "spellings"]


def spellings(host: str) -> Iterator[str]:
    """The forms in which Attio may store a normalized domain: unchanged, in its original script, and with `www.`."""
    yield host
    if "xn--" in host:
        with suppress(idna.IDNAError):
            yield idna.decode(host)
    if root_domain(host) == host:
        yield f"www.{host}"
