"""PURE. Normalizes domains, so that two spellings of one domain match the same company."""

from __future__ import annotations

import re

import idna
import tldextract

from destinations.kit.shared_hosts import shared_hosts

_SCHEME = re.compile(r"^(?:[a-z][a-z0-9+.\-]*:)?//", re.IGNORECASE)
_END_OF_HOST = re.compile(r"[/?#\\]")
_PORT = re.compile(r":\d*$")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_TOP_LEVEL = re.compile(r"[a-z][a-z0-9-]+")
_MAX_LENGTH = 253

# Only the list bundled with the package: a conversion must never wait for the network.
suffixes = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


def normalize(text: str) -> str:
    """The host of a domain or web address, in lowercase, without scheme, `www.`, port, path and trailing dot.

    Subdomains are kept: `app.attio.com` is not `attio.com`. International names become punycode.

    Raises:
        ValueError: the text is not a domain. The message does not contain the text.
    """
    return _without_www(valid_host(_split(text.strip())[0]))


def is_shared_page(text: str) -> bool:
    """Whether the text is the address of a page on a host that many companies share: `linkedin.com/company/acme`.

    Its domain is not the company's own. The host without a page, `linkedin.com`, is that of its owner.
    """
    host, page = _split(text.strip())
    if not page.strip("/\\?#"):
        return False
    try:
        host = valid_host(host).removeprefix("www.").removeprefix("m.")
    except ValueError:
        return False
    hosts, with_subdomains = shared_hosts()
    labels = host.split(".")
    return host in hosts or any(".".join(labels[start:]) in with_subdomains for start in range(1, len(labels)))


def valid_host(host: str) -> str:
    """The host name in lowercase ASCII, without its trailing dot. Raises like `normalize`."""
    host = _ascii(host)
    labels = host.split(".")
    if (
        len(host) > _MAX_LENGTH
        or len(labels) < 2
        or not all(map(_LABEL.fullmatch, labels))
        or not _TOP_LEVEL.fullmatch(labels[-1])
    ):
        raise ValueError("not a domain")
    return host


def root_domain(host: str) -> str:
    """The registered part of a normalized domain, by the public suffix list: `attio.com` for `app.attio.com`."""
    return suffixes(host).top_domain_under_public_suffix or host


def _split(text: str) -> tuple[str, str]:
    """The host of an address without its port, and the rest after it."""
    address, scheme = _SCHEME.subn("", text, count=1)
    host = _END_OF_HOST.split(address, maxsplit=1)[0]
    page = address[len(host) :]
    if scheme:
        host = host.rpartition("@")[2]
    return _PORT.sub("", host), page


def _ascii(host: str) -> str:
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode()
        except (idna.IDNAError, UnicodeError):
            raise ValueError("not a domain") from None
    return host.rstrip(".").lower()


def _without_www(host: str) -> str:
    while host.startswith("www.") and suffixes(host[4:]).top_domain_under_public_suffix:
        host = host[4:]
    return host
