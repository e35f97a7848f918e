"""PURE. What the address at which people open the application says about the installation."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

LOCAL_NAME = "localhost"


def host(url: str) -> str:
    """The host name or IP address, without a port; "" if the address has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_encrypted(url: str) -> bool:
    """Whether it starts with https://."""
    return url.lower().startswith("https://")


def is_local(url: str) -> bool:
    """Whether only people at this machine can open it."""
    name = host(url)
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name in ("", LOCAL_NAME) or name.endswith(f".{LOCAL_NAME}")


def origin(url: str) -> str:
    """Scheme, host and port, as browsers send it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
