"""PURE. The words of the editor: what each mode does, how long a run takes, and what is wrong with a match."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activations.setup.policy_words import SHORT
from core.text.listing import listed
from destinations.contract import Mode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from activations.models import Activation, FieldMapping
    from destinations.contract import Limits, Service
    from segments.reading.profiles import Profile

MODE_WORDS = {
    Mode.UPSERT: "Create new {records} and update existing ones",
    Mode.UPDATE: "Only update existing {records}",
    Mode.INSERT: "Only create new {records}",
}


def modes_of(service: Service) -> list[tuple[str, str]]:
    """The modes of a service, each with what it does."""
    return [(str(mode), MODE_WORDS[mode].format(records=service.record_nouns[1])) for mode in service.modes]


def mode_words(mode: str, service: Service) -> str:
    """What a mode does, for the records of a service."""
    return MODE_WORDS[Mode(mode)].format(records=service.record_nouns[1])


def mapping_words(mapping: FieldMapping, labels: Mapping[str, str]) -> str:
    """A field mapping in one line: a column, a text of several columns or a fixed value, and the attribute.

    Args:
        labels: the labels of the attributes by name. One that is not among them is shown by its name.
    """
    fixed = f"“{mapping.value}”" if isinstance(mapping.value, str) else str(mapping.value)
    policy = SHORT.get(mapping.policy)
    attribute = labels.get(mapping.target) or mapping.target
    return f"{mapping.column or mapping.template or fixed} → {attribute}{f' ({policy})' if policy else ''}"


def share(part: int, whole: int) -> str:
    """A part in percent, such that only nothing is 0 % and only everything is 100 %."""
    if not whole:
        return "0%"
    percent = part * 100 / whole
    if 0 < percent < 1:
        return "under 1%"
    return "over 99%" if 99 < percent < 100 else f"{percent:.0f}%"


def seconds_to_send(records: int, limits: Limits, *, looked_up: int = 0) -> float:
    """How long the vendor's rate limit makes sending last at least, in seconds.

    Args:
        looked_up: how many of the records are looked up before they are written.
    """
    writes = -(-records // limits.write_batch) / limits.writes
    lookups = limits.lookup_seconds(looked_up)
    return writes + lookups if limits.shared else max(writes, lookups)


def pace(new: int, known: int, activation: Activation, service: Service) -> str:
    """How long sending takes at least, with the lookups before it; "" if there is nothing to send."""
    number, limits, many = new + known, service.limits, service.record_nouns[1]
    if not number:
        return ""
    compares = activation.compares(service)
    looked_up = new if compares or activation.mode != Mode.UPSERT else 0
    length = rough_length(seconds_to_send(number, limits, looked_up=looked_up))
    vendor = service.platform.label
    if not (compares and new and activation.mode != Mode.INSERT):
        return f"Sending {number:,} {many} takes {length} at the fastest pace that {vendor} allows."
    lookups = limits.lookups(new)
    return (
        f"Reading {new:,} new {many} in {vendor} takes {lookups:,} request{'' if lookups == 1 else 's'}. If all "
        f"{number:,} {many} have to be written, it takes {length} in total at the fastest pace that {vendor} allows. "
        f"Those that have all values already are not written."
    )


def rough_length(seconds: float) -> str:
    """A length of time as a person would say it: less than a minute, about 4 minutes, about 2 hours."""
    if seconds < 60:
        return "less than a minute"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"about {minutes} minute{'' if minutes == 1 else 's'}"
    hours = round(minutes / 60)
    return f"about {hours} hours" if hours < 48 else f"about {round(hours / 24)} days"


def match_sentence(profile: Profile) -> str:
    """How many rows have no match value, and how many share one, and what that means for them."""
    doubled = profile.doubled
    if not profile.rows:
        return "The data has no rows yet."
    (match,) = profile.columns.values()
    rows = f"the first {profile.rows:,} rows" if profile.is_partial else f"all {profile.rows:,} rows"
    sentences = []
    if match.empty:
        sentences.append(
            f"{match.empty:,} of {rows.removeprefix('all ')} ({share(match.empty, profile.rows)}) "
            f"{'has no value here, and is' if match.empty == 1 else 'have no value here, and are'} not sent."
        )
    if doubled and doubled.rows:
        named = listed([f"{value} ({count:,} rows)" for value, count in doubled.examples])
        sentences.append(f"{doubled.rows:,} rows share their value with another row, and are not sent: {named}.")
    return " ".join(sentences) or f"{rows.capitalize()} have a value, and no two share one."
