"""The message for a request that was refused: the permission it requires, and the roles that have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dinmo.permissions.entry_points import ENTRY_POINTS

if TYPE_CHECKING:
    from django.http import HttpRequest

    from dinmo.permissions.table import Capability

DENIED = "Your account doesn't have permission to do this."
ASK = "Ask an administrator for it."


def message(request: HttpRequest) -> str:
    """The reason why a request was refused, and what to do."""
    missing = [each for each in _needed(request) if not request.user.has_perms(each.permissions)]
    return " ".join([DENIED, *map(_words, missing), ASK])


def _needed(request: HttpRequest) -> list[Capability]:
    match = request.resolver_match
    button = f":{match.kwargs.get('name')}" if match and match.view_name.endswith("_do") else ""
    entry = ENTRY_POINTS.get(f"{match.view_name}{button}") if match else None
    return entry.needs(str(request.method)) if entry else []


def _words(capability: Capability) -> str:
    *others, last = capability.roles
    roles = f"the roles {', '.join(others)} and {last} have" if others else f"the role {last} has"
    return f"This requires the permission “{capability.sentence}”, which {roles}."
