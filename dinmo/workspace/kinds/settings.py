"""The plain settings of an activation in the file, as declared in `activations.setup.settings`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from activations.setup.settings import DEFAULTS, Setting, blocks
from dinmo.workspace.block import NONE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dinmo.workspace.block import Block


def read(block: Block) -> dict[str, Any]:
    """Every setting by name. Those that the file leaves out have their defaults."""
    values = dict(DEFAULTS)
    for name, settings in blocks().items():
        place = block.block(name, f"The {name}") if name else block
        if place:
            values |= {setting.name: _value(place, setting) for setting in settings}
        if place and name:
            place.close()
    return values


def written(values: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of the activation's block for settings that differ from the defaults.

    A nested block is complete, apart from limits that don't differ.
    """
    keys: dict[str, Any] = {}
    for name, settings in blocks().items():
        differing = [setting for setting in settings if values[setting.name] != setting.default]
        if name and differing:
            shown = [setting for setting in settings if setting in differing or not setting.limit]
            keys[name] = {setting.key or setting.name: _plain(values[setting.name]) for setting in shown}
        elif not name:
            keys |= {setting.key or setting.name: _plain(values[setting.name]) for setting in differing}
    return keys


def _plain(value: Any) -> Any:
    if value is None:
        return NONE
    return list(value) if isinstance(value, tuple) else value


def _value(block: Block, setting: Setting) -> Any:
    key, default = setting.key or setting.name, setting.default
    if setting.optional:
        return block.whole_or_none(key, default, setting.highest)
    if setting.undecided or isinstance(default, bool):
        return block.flag(key, default)
    if isinstance(default, int):
        return block.whole(key, default, setting.highest)
    if isinstance(default, tuple):
        return addresses(block, key)
    return block.choice(key, setting.choices, default)


def addresses(block: Block, key: str) -> tuple[str, ...]:
    """A list of email addresses, each once."""
    listed = block.texts(key)
    for line, address in listed:
        try:
            validate_email(address)
        except ValidationError:
            block.problems.add(line, f"`{key}` must be a list of email addresses, e.g. ops@example.com.")
    return tuple(dict.fromkeys(address for _, address in listed))
