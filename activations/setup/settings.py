"""PURE. The plain settings of an activation: the one list by which the workspace file reads and exports them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from activations import warning_kinds

if TYPE_CHECKING:
    from collections.abc import Mapping

HIGHEST_PERCENT = 100
HIGHEST_SIZE_CHANGE = 32_767
HIGHEST_NUMBER = 2_147_483_647
"""The largest values of the database's columns."""


@dataclass(frozen=True)
class Setting:
    """One setting: a column of `Activation`, and a key of the workspace file.

    Args:
        name: the name of the column.
        default: what a file that leaves it out means. Its type is the setting's type; a tuple is a list of email
            addresses.
        key: the key in the file, if it differs from the name.
        block: the key of the block that contains the setting in the file.
        choices: the allowed values of a text.
        highest: the largest allowed number.
        optional: a number that may be switched off, which is None here and null in the file.
        undecided: a flag that may be left out, which is None and lets the service decide.
        limit: a limit of `warning_kinds` instead of a column. `Activation.thresholds` stores it if it differs.
    """

    name: str
    default: Any
    key: str = ""
    block: str = ""
    choices: tuple[str, ...] = ()
    highest: int = HIGHEST_PERCENT
    optional: bool = False
    undecided: bool = False
    limit: bool = False

    @property
    def path(self) -> str:
        """Its name in messages, e.g. `warnings.enabled`."""
        return ".".join(filter(None, [self.block, self.key or self.name]))


SETTINGS = (
    Setting("warnings_enabled", True, key="enabled", block="warnings"),
    *(
        Setting(
            limit.key, limit.default, block="warnings", highest=limit.most, optional=limit.unit != "switch", limit=True
        )
        for limit in warning_kinds.limits()
    ),
    Setting("recipients", (), block="warnings"),
    Setting("hold_empty", True, key="refuse_empty", block="guards"),
    Setting(
        "hold_size_percent",
        50,
        key="max_size_change_percent",
        block="guards",
        highest=HIGHEST_SIZE_CHANGE,
        optional=True,
    ),
    Setting("hold_creates", None, key="max_creates", block="guards", highest=HIGHEST_NUMBER, optional=True),
    Setting("hold_change_percent", 50, key="max_change_percent", block="guards", optional=True),
    # Unlike in the browser: a file is reviewed before it is applied, and older files don't mention it.
    Setting("hold_first_creates", False, key="confirm_first_creates", block="guards"),
    Setting("backfill", "all", choices=("all", "new")),
    Setting("compare_first", None, undecided=True),
    Setting("overlap", "skip", choices=("skip", "queue")),
    Setting("catch_up", True),
    Setting("paused", False),
)
DEFAULTS: Mapping[str, Any] = {setting.name: setting.default for setting in SETTINGS}


def blocks() -> dict[str, list[Setting]]:
    """The settings by the block of the file that contains them; "" is the activation's own block."""
    grouped: dict[str, list[Setting]] = {}
    for setting in SETTINGS:
        grouped.setdefault(setting.block, []).append(setting)
    return grouped


def stored(row: Any) -> dict[str, Any]:
    """Every setting of a saved activation by name. Lists are tuples."""
    limits = warning_kinds.effective(row.thresholds)
    plain = {setting.name: getattr(row, setting.name) for setting in SETTINGS if not setting.limit}
    return {**limits, **{name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()}}


def columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of `Activation` that store these settings."""
    plain = {setting.name: values[setting.name] for setting in SETTINGS if not setting.limit}
    lists = {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}
    return {**lists, "thresholds": warning_kinds.differing(values)}
