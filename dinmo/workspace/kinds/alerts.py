"""The key `alerts` of the file: the workspace's recipients, and the other channels that send alerts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from activations.alerts.channels.registry import channels
from activations.warning_kinds import EVENTS
from core.errors import Misconfigured
from dinmo.workspace import entities
from dinmo.workspace.kinds.accounts import plugin, settings
from dinmo.workspace.kinds.settings import addresses

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dinmo.workspace.block import Block
    from dinmo.workspace.names import Scope

RECIPIENTS = "Workspace recipients"
"""The name of the channel that the key `recipients` is about."""
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def read(top: Block, scope: Scope) -> None:
    """Adds the channels of the file to the scope."""
    block = top.block("alerts", "The alerts")
    if block is None:
        return
    if block.has("recipients"):
        scope.add("channels", _recipients(block, scope))
    for row in block.blocks("channels", "A channel"):
        before = len(row.problems.items)
        channel = _channel(row, scope)
        row.close()
        scope.declare("channels", row, channel.name)
        if len(row.problems.items) == before:
            scope.add("channels", channel)
    block.close()


def written(known: Mapping[str, entities.Channel]) -> dict[str, Any]:
    """The values of the key `alerts`, without secrets."""
    plain = known.get(RECIPIENTS)
    short = plain if plain and plain == _default(_listed(plain)) else None
    others = [_written(channel) for channel in known.values() if channel is not short]
    return {"recipients": list(_listed(short)) if short else [], "channels": others}


def _recipients(block: Block, scope: Scope) -> entities.Channel:
    """The channel of the workspace's recipients. What else it is set to stays."""
    listed = addresses(block, "recipients")
    existing = scope.existing.channels.get(RECIPIENTS)
    wanted = _default(listed, block.lines())
    if existing is None or existing.kind != "email":
        return wanted
    return entities.Channel(
        name=RECIPIENTS,
        kind="email",
        config=wanted.config,
        secrets=existing.secrets,
        events=existing.events,
        digest_at=existing.digest_at,
        enabled=existing.enabled,
        lines=block.lines(),
    )


def _default(listed: tuple[str, ...], lines: Mapping[str, int] | None = None) -> entities.Channel:
    config = {"recipients": ", ".join(listed)}
    return entities.Channel(
        name=RECIPIENTS, kind="email", config=config, secrets={}, events=tuple(EVENTS), lines=lines or {}
    )


def _channel(block: Block, scope: Scope) -> entities.Channel:
    name = block.name()
    channel = plugin(block, "kind", channels)
    existing = scope.existing.channels.get(name)
    events, digest_at, enabled = _events(block), _digest(block), block.flag("enabled", True)
    config: dict[str, Any] = {}
    secrets: dict[str, Any] = {}
    if channel is None:
        block.rest()
    elif channel.slug == "email":
        config = {"recipients": ", ".join(addresses(block, "recipients"))}
    else:
        kept = existing if existing and existing.kind == channel.slug else None
        config, secrets = settings(block, channel.parameters, kept)
        _check(block, channel, {**config, **secrets})
    return entities.Channel(
        name=name,
        kind=channel.slug if channel else "",
        config=config,
        secrets=secrets,
        events=events,
        digest_at=digest_at,
        enabled=enabled,
        lines=block.lines(),
    )


def _check(block: Block, channel: Any, values: Mapping[str, Any]) -> None:
    if all(values.get(each.name) for each in channel.parameters if each.required):
        try:
            channel.validate(values)
        except Misconfigured as problem:
            block.report(problem.where, f"`{problem.where}`: {problem.message}")


def _events(block: Block) -> tuple[str, ...]:
    """All events, unless the file lists some. In the order of the table, so that two files can be compared."""
    if not block.has("events"):
        return tuple(EVENTS)
    chosen = block.texts("events")
    for line, event in chosen:
        if event not in EVENTS:
            block.problems.add(line, f"There is no event “{event}”. Choose from: {', '.join(EVENTS)}.")
    return tuple(event for event in EVENTS if event in {event for _, event in chosen})


def _digest(block: Block) -> str:
    at = block.text("digest_at", longest=5)
    if at and not _TIME.fullmatch(at):
        block.report("digest_at", '`digest_at` must be a time of day in UTC, such as "08:00".')
        return ""
    return at


def _listed(channel: entities.Channel) -> tuple[str, ...]:
    return tuple(part.strip() for part in str(channel.config.get("recipients", "")).split(",") if part.strip())


def _written(channel: entities.Channel) -> dict[str, Any]:
    plain = {"recipients": list(_listed(channel))} if channel.kind == "email" else dict(channel.config)
    return {
        "name": channel.name,
        "kind": channel.kind,
        **plain,
        "events": list(channel.events) if channel.events != tuple(EVENTS) else None,
        "digest_at": channel.digest_at,
        "enabled": None if channel.enabled else False,
    }
