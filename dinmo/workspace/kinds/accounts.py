"""PURE. Sources and connections: a plug-in's slug with the settings that the plug-in asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from core.errors import Misconfigured
from destinations.registry import platforms, services
from dinmo.workspace import entities
from dinmo.workspace.block import Block, did_you_mean
from segments.registry import engines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.parameters import Parameter
    from core.plugins import Registry
    from dinmo.workspace.names import Scope
    from dinmo.workspace.yaml_document import Node


def source(block: Block, scope: Scope) -> entities.Source:
    """A source of the file. Secrets that it leaves out are those that stand, as long as the engine is the same."""
    name = block.name()
    zone = timezone(block)
    engine = plugin(block, "engine", engines)
    stands = scope.standing.sources.get(name)
    kept = stands.secrets if stands and engine and stands.engine == engine.slug else {}
    config, secrets = settings(block, engine.parameters, kept) if engine else _unread(block)
    slug = engine.slug if engine else ""
    return entities.Source(name=name, engine=slug, timezone=zone, config=config, secrets=secrets, lines=block.lines())


def connection(block: Block, scope: Scope) -> entities.Connection:
    """A connection of the file. Its platform can't become another one."""
    name = block.name()
    platform = plugin(block, "platform", platforms)
    stands = scope.standing.connections.get(name)
    if stands and platform and stands.platform != platform.slug:
        block.wrong("platform", f"{name!r} is a connection to {stands.platform} already. Give this one another name.")
    config, secrets = (
        settings(block, platform.parameters, stands.secrets if stands else {}) if platform else _unread(block)
    )
    slug = platform.slug if platform else ""
    # With a different token nobody knows yet whose workspace it opens.
    known = stands.workspace if stands and (stands.config, stands.secrets) == (config, secrets) else ""
    return entities.Connection(
        name=name, platform=slug, config=config, secrets=secrets, workspace=known, lines=block.lines()
    )


def destination(block: Block, scope: Scope) -> entities.Destination:
    """A destination of the file: a connection, and a service of the connection's platform."""
    name = block.name()
    found = scope.find("connections", block, "connection")
    service = plugin(block, "service", services)
    if found and service and service.platform.slug != found.platform:
        usable = ", ".join(slug for slug, one in sorted(services.all.items()) if one.platform.slug == found.platform)
        block.wrong("service", f"{service.slug!r} is no service of {found.platform}. Choose one of: {usable}.")
    return entities.Destination(
        name=name, connection=found.name if found else "", service=service.slug if service else "", lines=block.lines()
    )


def timezone(block: Block) -> str:
    """The key `timezone`: a name of the time zone database, UTC by default."""
    zone = block.text("timezone", default="UTC", longest=64)
    if zone not in available_timezones():
        block.wrong("timezone", f"{block.held['timezone'].written!r} is no time zone. Use a name such as Europe/Paris.")
        return "UTC"
    return zone


def plugin(block: Block, key: str, registry: Registry[Any]) -> Any | None:
    """The engine, platform or service that the key names."""
    slug = block.text(key, required=True, longest=80)
    if not slug:
        return None
    if slug not in registry.all:
        known = ", ".join(sorted(registry.all))
        block.wrong(key, f"This version has no {registry.noun} {block.held[key].written!r}. Choose one of: {known}.")
        return None
    return registry[slug]


def settings(
    block: Block, parameters: Sequence[Parameter], kept: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Plain configuration and secrets out of what is left of a block.

    Args:
        kept: the secrets that stand; they stay where the file leaves them out.
    """
    known = {parameter.name for parameter in parameters} | block.asked
    given = block.rest()
    for key, node in given.items():
        if key not in known:
            block.problems.add(node.line, f"{block.what} of this kind has no `{key}`." + did_you_mean(key, known))
    plain: dict[str, Any] = {}
    secret: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.secret and parameter.name not in given and parameter.name in kept:
            secret[parameter.name] = kept[parameter.name]
        else:
            (secret if parameter.secret else plain)[parameter.name] = _clean(
                block, parameter, given.get(parameter.name)
            )
    return plain, secret


def _clean(block: Block, parameter: Parameter, node: Node | None) -> Any:
    value = node.plain() if node else None
    # A password of digits is text to us, with its leading zeros.
    if node and parameter.kind in ("text", "secret") and isinstance(value, int | float) and not isinstance(value, bool):
        value = node.written
    try:
        return parameter.clean(value)
    except Misconfigured as problem:
        block.wrong(parameter.name, f"`{parameter.name}`: {problem.message}")
        return None


def _unread(block: Block) -> tuple[dict[str, Any], dict[str, Any]]:
    """Without the plug-in nobody knows the settings."""
    block.rest()
    return {}, {}
