"""Values that need no conversion one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Plain:
    """Which values of a column can be converted together, as a whole column, instead of one by one.

    It only saves time: for each value that qualifies, the result is the same wire value and identity that `convert` and
    `identity` return. All other values go through `convert`. For example, with `Plain("text", most_characters=255)`,
    "Acme" is sent as it is, and a text of 300 characters goes to `convert`, which decides whether to reject it.

    Args:
        form: how a value is sent. `text`: unchanged, and a whole number as its digits. `number`: unchanged. `boolean`:
            unchanged. `day`: YYYY-MM-DD. `moment`: ISO 8601 in UTC with a Z, and six decimals of a second or none.
            `seconds`: Unix time.
        pattern: a regular expression that the complete text must match.
        most_characters: the maximum length of text.
        largest: the largest number, ignoring its sign.
        places: how many decimals a number may have.
        rounds: numbers with more decimals are rounded to `places`, half to even.
        listed: the wire value is a list of that one value.
    """

    form: Literal["text", "number", "boolean", "day", "moment", "seconds"]
    pattern: str = ""
    most_characters: int | None = None
    largest: int = 2**31 - 1
    places: int = 0
    rounds: bool = False
    listed: bool = False
