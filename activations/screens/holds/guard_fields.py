"""The guards in the form of an activation: their fields, labels and help texts."""

from __future__ import annotations

SWITCHES = ("hold_empty", "hold_first_creates")
NUMBERS = ("hold_size_percent", "hold_change_percent", "hold_creates")
FIELDS = [*SWITCHES, *NUMBERS]
LABELS = {
    "hold_empty": "The data has no rows",
    "hold_first_creates": "The first run that creates records",
    "hold_size_percent": "More or fewer rows than the last run, in percent",
    "hold_change_percent": "Changed records, in percent",
    "hold_creates": "New records",
}
HELP_TEXTS = {
    "hold_empty": "Although the last run found some.",
    "hold_first_creates": "Asked once, and only if a schedule or a program starts it.",
    "hold_size_percent": "Leave it empty to switch it off. Differences of fewer than 20 rows never wait.",
    "hold_change_percent": "Of those sent before. Fewer than 20 never wait, nor does a full sync, nor what changes "
    "because you changed a mapping.",
    "hold_creates": "Leave it empty for any number.",
}
