"""PURE. The name of a browser and its operating system from its user agent."""

from __future__ import annotations

BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
"""Parts of user agents. Most browsers name others too, so the first match wins."""
SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"))
LINUX = (("Linux", "Linux"),)
UNKNOWN = "Unknown browser"


def browser_name(user_agent: str) -> str:
    """For example “Firefox on Windows”."""
    browser = _first(BROWSERS, user_agent) or UNKNOWN
    system = _first(SYSTEMS + LINUX, user_agent)
    return f"{browser} on {system}" if system else browser


def _first(names: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for part, name in names if part in user_agent), "")
