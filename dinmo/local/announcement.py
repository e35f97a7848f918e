"""PURE. What `make up` prints once everything runs: the address, the login, the processes, the simulators, the logs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dinmo.local.login import Login

RULE = "─" * 72
KNOWN_LOGIN = (
    "with your username and password",
    "To reset a password: manage.py changepassword NAME. To add an administrator: manage.py createsuperuser",
)
PROCESSES = {
    "broker": "task queue (Valkey)",
    "sandbox": "simulators of the destinations",
    "planner": "reads sources and plans runs",
    "worker": "delivers runs",
    "beat": "starts scheduled runs",
    "web": "admin screens and API",
}


@dataclass(frozen=True)
class Simulated:
    """A vendor's simulator.

    Args:
        variable: the environment variable that points requests to it.
        used: whether requests go there; otherwise, the variable was set to a different address.
    """

    label: str
    url: str
    variable: str
    used: bool


def lines(
    url: str,
    login: Login | None,
    programs: Sequence[str],
    simulators: Sequence[Simulated],
    token: str,
    logs: Path,
    *,
    shown: bool,
) -> list[str]:
    """The text, line by line.

    Args:
        login: the first login, if one was just created.
        token: what the simulators accept.
        shown: whether the logs are shown too.
    """
    listed = [f"    {name:<10}{PROCESSES.get(name, '')}".rstrip() for name in programs]
    return [
        RULE,
        f"  DinMo is ready at {url}",
        "",
        *_login(login),
        "",
        "  Running",
        *listed,
        *_simulators(simulators, token),
        "",
        f"  Logs are kept in {logs}{', and shown below' if shown else '   (make up LOGS=1 shows them)'}",
        "  Press Ctrl-C to stop everything.",
        RULE,
    ]


def _login(login: Login | None) -> Iterator[str]:
    if login is None:
        where, how = KNOWN_LOGIN
        yield f"  Sign in   {where}"
        yield f"            {how}"
        return
    yield f"  Sign in   {login.username}"
    yield f"  Password  {login.password}   (shown only once: change it after signing in)"


def _simulators(simulators: Sequence[Simulated], token: str) -> Iterator[str]:
    if not simulators:
        return
    yield ""
    yield f"  Simulators, with the token {token}"
    for each in simulators:
        note = "" if each.used else f"   (not used, because {each.variable} is set)"
        yield f"    {each.label:<10}{each.url}/_sandbox{note}"
