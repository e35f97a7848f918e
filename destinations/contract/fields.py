"""The attributes of a destination, and the values that are sent to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Wire = Any
"""A value as it appears in the request: JSON, nothing else."""


def type_words(type_name: str) -> str:
    """PURE. A vendor's type in the words of this application, where a source's text and a vendor's string are one."""
    return type_name.replace("string", "text")


@dataclass(frozen=True)
class Option:
    """One allowed value of a field."""

    id: str
    title: str


@dataclass(frozen=True)
class Field:
    """One attribute at the destination.

    Args:
        type: the vendor's name for the type.
        multiple: holds a list of values.
        matchable: can be the match field of an activation.
        options: the allowed values; empty if any value is allowed.
        read_only_reason: a sentence for the user, if `writable` is false.
        enriched: the vendor also fills it in on its own, and may overwrite what was sent.
        part_of: the attribute that this is a part of, such as the location of a city; "" if it is a whole one.
        meaning: what a part holds: street, city, region, postcode, country, latitude, longitude, first name or last
            name; or what an ID is of: company id. "" if it is none of these. Columns are suggested by it.
        config: what else is needed to convert a value, e.g. the allowed target objects.
    """

    name: str
    label: str
    type: str
    writable: bool = True
    required: bool = False
    unique: bool = False
    multiple: bool = False
    matchable: bool = False
    options: tuple[Option, ...] = ()
    read_only_reason: str = ""
    custom: bool = False
    enriched: bool = False
    part_of: str = ""
    meaning: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def type_word(self) -> str:
        """The type as screens name it."""
        return type_words(self.type)


@dataclass(frozen=True)
class Origin:
    """What the source knew of a value besides the value itself, for conversions that depend on it.

    Args:
        zone: the source's time zone. Times without a zone are on its clocks, and so are the days of times.
        text: how the source spelled a number, date or boolean, if it was read from text: "1.10", not 1.1.
        country: ISO 3166 alpha-2, the country of national phone numbers; "" if none was chosen.
    """

    zone: tzinfo = UTC
    text: str = ""
    country: str = ""


NO_ORIGIN = Origin()
"""For values that come from no source, such as those of the vendor."""


@dataclass(frozen=True)
class NewField:
    """A field that an activation needs at the destination: a column's name, and its type as `segments` names it."""

    name: str
    type: str
