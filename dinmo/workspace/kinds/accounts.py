"""PURE. Sources, connections and destinations in the file: the slug of a plug-in, with its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from core.errors import Misconfigured
from core.parameters import kept_secret, recipient_change
from destinations.registry import platforms, services
from dinmo.workspace import entities
from dinmo.workspace.block import Block, did_you_mean
from segments.registry import engines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.parameters import Parameter
    from core.plugins import Registry
    from destinations.contract import Field, Service
    from dinmo.workspace.names import Scope
    from dinmo.workspace.yaml_document import Node


Account = entities.Source | entities.Connection | entities.Channel
"""What has settings and secrets that a plug-in declares."""


def source(block: Block, scope: Scope) -> entities.Source:
    """A source in the file. Secrets that the file leaves out are kept if the engine is the same."""
    name = block.name()
    zone = timezone(block)
    engine = plugin(block, "engine", engines)
    existing = scope.existing.sources.get(name)
    kept = existing if existing and engine and existing.engine == engine.slug else None
    config, secrets = settings(block, engine.parameters, kept) if engine else _unread(block)
    slug = engine.slug if engine else ""
    return entities.Source(name=name, engine=slug, timezone=zone, config=config, secrets=secrets, lines=block.lines())


def connection(block: Block, scope: Scope) -> entities.Connection:
    """A connection in the file. The platform of an existing connection can't be changed."""
    name = block.name()
    platform = plugin(block, "platform", platforms)
    existing = scope.existing.connections.get(name)
    if existing and platform and existing.platform != platform.slug:
        block.report(
            "platform", f"“{name}” already exists as a connection to {existing.platform}. Choose a different name."
        )
    config, secrets = settings(block, platform.parameters, existing) if platform else _unread(block)
    slug = platform.slug if platform else ""
    # A different token may open a different workspace.
    known = existing.workspace if existing and (existing.config, existing.secrets) == (config, secrets) else ""
    return entities.Connection(
        name=name, platform=slug, config=config, secrets=secrets, workspace=known, lines=block.lines()
    )


def destination(block: Block, scope: Scope) -> entities.Destination:
    """A destination in the file: a connection, and a service of the connection's platform."""
    name = block.name()
    account = scope.find("connections", block, "connection")
    service = plugin(block, "service", services)
    if account and service and service.platform.slug != account.platform:
        usable = ", ".join(
            slug for slug, each in sorted(services.all.items()) if each.platform.slug == account.platform
        )
        block.report("service", f"“{service.slug}” is not a service of {account.platform}. Choose one of: {usable}.")
    return entities.Destination(
        name=name,
        connection=account.name if account else "",
        service=service.slug if service else "",
        known_fields=_known_fields(scope, name, account, service),
        lines=block.lines(),
    )


def _known_fields(
    scope: Scope, name: str, account: entities.Connection | None, service: Service | None
) -> Sequence[Field]:
    """The fields of the existing destination, if the file leaves its connection and its service as they are."""
    existing = scope.existing.destinations.get(name)
    if existing is None or account is None or service is None:
        return ()
    same = (existing.connection, existing.service) == (account.name, service.slug)
    return existing.known_fields if same and account == scope.existing.connections.get(account.name) else ()


def timezone(block: Block) -> str:
    """The key `timezone`: a name from the time zone database, UTC by default."""
    zone = block.text("timezone", default="UTC", longest=64)
    if zone not in available_timezones():
        block.report(
            "timezone",
            f"“{block.nodes['timezone'].written}” is not a valid time zone. Use a name such as Europe/Paris.",
        )
        return "UTC"
    return zone


def plugin(block: Block, key: str, registry: Registry[Any]) -> Any | None:
    """The engine, platform or service that the key names."""
    slug = block.text(key, required=True, longest=80)
    if not slug:
        return None
    if slug not in registry.all:
        known = ", ".join(sorted(registry.all))
        block.report(key, f"This version has no {registry.noun} “{block.nodes[key].written}”. Choose one of: {known}.")
        return None
    return registry[slug]


def settings(
    block: Block,
    parameters: Sequence[Parameter],
    existing: entities.Source | entities.Connection | entities.Channel | None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The plain settings and the secrets of a plug-in, from the keys that have not been read yet.

    Args:
        existing: the settings in the database. Its secrets are kept if the file leaves them out, unless they would be
            sent to somebody else.
    """
    known = {parameter.name for parameter in parameters} | block.read_keys
    given = block.rest()
    for key, node in given.items():
        if key not in known:
            block.problems.add(node.line, f"{block.what} of this kind has no key `{key}`." + did_you_mean(key, known))
    plain = {each.name: _clean(block, each, given.get(each.name)) for each in parameters if not each.secret}
    change = recipient_change(parameters, existing.config, plain) if existing else None
    secret: dict[str, Any] = {}
    for parameter in (each for each in parameters if each.secret):
        if existing and parameter.name not in given and parameter.name in existing.secrets:
            secret[parameter.name] = _kept(block, parameter, existing.secrets, change)
        else:
            secret[parameter.name] = _clean(block, parameter, given.get(parameter.name))
    return plain, secret


def _kept(block: Block, parameter: Parameter, secrets: Mapping[str, Any], change: Parameter | None) -> Any:
    try:
        return kept_secret(parameter, secrets, change)
    except Misconfigured as problem:
        block.report(change.name if change else "", f"`{parameter.name}`: {problem.message}")
        return None


def _clean(block: Block, parameter: Parameter, node: Node | None) -> Any:
    value = node.plain() if node else None
    # An unquoted password of digits is text too, with its leading zeros.
    if node and parameter.kind in ("text", "secret") and isinstance(value, int | float) and not isinstance(value, bool):
        value = node.written
    try:
        return parameter.clean(value)
    except Misconfigured as problem:
        block.report(parameter.name, f"`{parameter.name}`: {problem.message}")
        return None


def _unread(block: Block) -> tuple[dict[str, Any], dict[str, Any]]:
    """Marks all settings as read: without the plug-in, they can't be validated."""
    block.rest()
    return {}, {}
