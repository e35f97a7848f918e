"""PURE. One way to write a domain, so that two spellings of one company are one company."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

import idna
import tldextract

if TYPE_CHECKING:
    from collections.abc import Iterator

_SCHEME = re.compile(r"^(?:[a-z][a-z0-9+.\-]*:)?//", re.IGNORECASE)
_END_OF_HOST = re.compile(r"[/?#\\]")
_PORT = re.compile(r":\d*$")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_END = re.compile(r"[a-z][a-z0-9-]+")
_LONGEST = 253

# The list that comes with the package: a conversion must never wait for the network.
suffixes = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


def normalise(text: str) -> str:
    """The bare host of a domain or address on the web: lower case, without scheme, `www.`, port, path and final dot.

    Sub-domains stay, as they do in Attio (`app.attio.com` is not `attio.com`). International names become punycode.

    Raises:
        ValueError: it holds no domain; the message says nothing of the text.
    """
    return _without_www(checked(_host(text.strip())))


def checked(host: str) -> str:
    """A host name in lower case and ASCII, without its final dot. Raises as `normalise`."""
    host = _ascii(host)
    labels = host.split(".")
    if (
        len(host) > _LONGEST
        or len(labels) < 2
        or not all(map(_LABEL.fullmatch, labels))
        or not _END.fullmatch(labels[-1])
    ):
        raise ValueError("no domain")
    return host


def root(host: str) -> str:
    """The part of a normalised domain that is registered, by the public suffix list: `attio.com` of `app.attio.com`."""
    return suffixes(host).top_domain_under_public_suffix or host


def spellings(host: str) -> Iterator[str]:
    """A normalised domain in each way that a vendor may keep it: as it is, in its own script, and with a `www.`."""
    yield host
    if "xn--" in host:
        with suppress(idna.IDNAError):
            yield idna.decode(host)
    if root(host) == host:
        yield f"www.{host}"


def _host(text: str) -> str:
    address, scheme = _SCHEME.subn("", text, count=1)
    host = _END_OF_HOST.split(address, maxsplit=1)[0]
    if scheme:
        host = host.rpartition("@")[2]
    return _PORT.sub("", host)


def _ascii(host: str) -> str:
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode()
        except (idna.IDNAError, UnicodeError):
            raise ValueError("no domain") from None
    return host.rstrip(".").lower()


def _without_www(host: str) -> str:
    while host.startswith("www.") and suffixes(host[4:]).top_domain_under_public_suffix:
        host = host[4:]
    return host
