"""PURE. Which columns hold a part of an address or of a name: by what such columns are called, and by their values."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import TYPE_CHECKING, Any

import pycountry

from destinations.kit.values.countries import alpha2

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ENOUGH = 0.8
"""The share of the values that must fit."""
NAMES = {
    "street": "street, street address, street name, street 1, address, address 1, address line, address line 1, line 1",
    "city": "city, city name, town, locality, municipality",
    "region": "region, region name, state, state code, state name, state province, province",
    "postcode": "postcode, post code, postal code, zip, zip code, zipcode",
    "country": "country, country code, country name, country iso, country iso code, iso country, iso country code",
    "latitude": "latitude, lat",
    "longitude": "longitude, lng, lon",
    "first name": "first name, firstname, given name, forename",
    "last name": "last name, lastname, family name, surname",
}
"""What a column is called that holds the part: the whole name, and never a part of it such as in country manager."""
ID_NAMES = {"company id": frozenset({"account id", "company id", "customer id", "org id", "organization id"})}
"""What a column is called that holds the ID of a different record. One called company has its name more often."""
OWN = frozenset({"account", "business", "client", "company", "customer", "main", "org", "organization", "primary"})
"""Words before a name that leave its meaning as it is."""
_PLACE = OWN | {"address", "billing", "head", "headquarters", "hq", "location", "mailing", "office", "postal"}
_REASONS = {"first name": "first name of a person", "last name": "last name of a person"}
_CODES_OF = ("AU", "BR", "CA", "US")
"""Countries whose regions people write as codes."""
_SALES_REGIONS = re.compile(r"((north|south|mid)?-? ?(north|south|east|west|cent(er|re|ral))(ern)?)", re.IGNORECASE)
"""Some countries have a region of that name, and many companies a team."""
_HAS_DIGIT, _LETTER = re.compile(r"\d"), re.compile(r"[^\W\d_]")
_POSTCODE = re.compile(r"(?=.*\d)[A-Za-z0-9][A-Za-z0-9 -]{2,9}")


def likeness(
    words: tuple[str, ...], values: Sequence[Any], meaning: str, whole: tuple[str, ...], *, custom: bool
) -> tuple[int, str] | None:
    """How sure it is that a column holds a part, as rank and reason; None if it does not.

    Args:
        words: the words of the column's name.
        whole: the words of the attribute that has the part.
        custom: whether people created that attribute. It may be any place, so the column has to name it: the city of a
            warehouse is not that of the company.
    """
    named = _named(words, meaning)
    if named is None or not _fit(values, meaning):
        return None
    if named and named <= set(whole):
        return 1, _reason(values, meaning)
    if custom or not named <= _PLACE:
        return None
    return (4 if named else 1), _reason(values, meaning)


def _named(words: tuple[str, ...], meaning: str) -> frozenset[str] | None:
    """The words before the name of the part; None if the column is not called like that."""
    for name in sorted(NAMES.get(meaning, "").split(", "), key=len, reverse=True):
        part = tuple(name.split())
        if part and words[-len(part) :] == part:
            return frozenset(words[: -len(part)])
    return None


def _reason(values: Sequence[Any], meaning: str) -> str:
    if meaning == "country":
        short = all(len(text) <= 3 for text in _texts(values))
        return "values are country codes" if short else "values are country names"
    return _REASONS.get(meaning, f"{meaning} of an address")


def _fit(values: Sequence[Any], meaning: str) -> bool:
    filled = [value for value in values if value not in (None, "") and not isinstance(value, bool)]
    return bool(filled) and sum(_CHECKS[meaning](str(value).strip()) for value in filled) >= ENOUGH * len(filled)


def _texts(values: Sequence[Any]) -> list[str]:
    return [str(value).strip() for value in values if value not in (None, "")]


def _is_words(text: str) -> bool:
    return bool(_LETTER.search(text)) and not _HAS_DIGIT.search(text) and "@" not in text and "." not in text[1:-1]


def _is_street(text: str) -> bool:
    """A street with a number. A whole address with city and country has more commas, and an email no whitespace."""
    return bool(_LETTER.search(text) and _HAS_DIGIT.search(text)) and " " in text and text.count(",") < 2


def _is_region(text: str) -> bool:
    """Columns called state or region often hold a stage such as active, or a sales region such as EMEA."""
    is_known = text in _region_codes() or _plain(text) in _region_names()
    return is_known and not _SALES_REGIONS.fullmatch(text)


def _degrees(limit: int) -> Callable[[str], bool]:
    def is_within(text: str) -> bool:
        try:
            return abs(Decimal(text)) <= limit
        except InvalidOperation:
            return False

    return is_within


@cache
def _region_codes() -> frozenset[str]:
    return frozenset(each.code[3:] for each in pycountry.subdivisions if each.country_code in _CODES_OF)


@cache
def _region_names() -> frozenset[str]:
    return frozenset(_plain(each.name) for each in pycountry.subdivisions)


def _plain(text: str) -> str:
    """The text without accents and case."""
    return "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each)).casefold()


_CHECKS: dict[str, Callable[[str], bool]] = {
    "street": _is_street,
    "city": lambda text: _is_words(text.replace("St.", "St")),
    "region": _is_region,
    "postcode": lambda text: _POSTCODE.fullmatch(text) is not None,
    "country": lambda text: alpha2(text) is not None,
    "latitude": _degrees(90),
    "longitude": _degrees(180),
    "first name": _is_words,
    "last name": _is_words,
}
