"""PURE. The plain settings of an activation, declared once: the workspace file reads, compares and exports them by this list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

HIGHEST_PERCENT = 100
HIGHEST_SIZE_CHANGE = 32_767
"""The largest value of the database's column."""


@dataclass(frozen=True)
class Setting:
    """One setting: a column of `Activation`, and a key of the workspace file.

    Args:
        name: of the column.
        default: of the column too; its type is the setting's type, a tuple being a list of email addresses.
        key: in the file, if it is not the name.
        block: the key of the block that the file keeps it in.
        choices: the values that a text may have.
        highest: the largest whole number.
    """

    name: str
    default: Any
    key: str = ""
    block: str = ""
    choices: tuple[str, ...] = ()
    highest: int = HIGHEST_PERCENT

    @property
    def path(self) -> str:
        """How messages call it: `warnings.enabled`."""
        return ".".join(filter(None, [self.block, self.key or self.name]))


SETTINGS = (
    Setting("warnings_enabled", True, key="enabled", block="warnings"),
    Setting("rejected_percent", 5, block="warnings"),
    Setting("invalid_percent", 5, block="warnings"),
    Setting("size_change_percent", 30, block="warnings", highest=HIGHEST_SIZE_CHANGE),
    Setting("recipients", (), block="warnings"),
    Setting("backfill", "all", choices=("all", "new")),
    Setting("paused", False),
)
DEFAULTS: Mapping[str, Any] = {setting.name: setting.default for setting in SETTINGS}


def blocks() -> dict[str, list[Setting]]:
    """The settings by the block of the file that holds them; "" is the activation's own block."""
    found: dict[str, list[Setting]] = {}
    for setting in SETTINGS:
        found.setdefault(setting.block, []).append(setting)
    return found
