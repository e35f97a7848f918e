"""PURE. Countries as ISO 3166 alpha-2 codes, from codes and English names."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import pycountry

_EVERYDAY = {
    "GB": "UK, U.K., Great Britain, Britain, England, Scotland, Wales, Northern Ireland",
    "US": "U.S., U.S.A., America, United States of America",
    "AE": "UAE, U.A.E., Emirates",
    "BN": "Brunei",
    "BL": "St Barthelemy",
    "CD": "DR Congo, DRC, Democratic Republic of the Congo, Congo Kinshasa",
    "CG": "Republic of the Congo, Congo Brazzaville",
    "CI": "Ivory Coast",
    "CN": "PRC, People's Republic of China, Mainland China",
    "CV": "Cape Verde",
    "CZ": "Czech Republic",
    "FK": "Falkland Islands",
    "FM": "Micronesia",
    "IE": "Republic of Ireland",
    "HK": "Hong Kong SAR, Hong Kong SAR China",
    "KN": "St Kitts and Nevis",
    "KP": "North Korea",
    "KR": "South Korea, Korea, Republic of Korea",
    "LC": "St Lucia",
    "MF": "St Martin",
    "MK": "Macedonia",
    "MM": "Burma",
    "MO": "Macau, Macao SAR, Macao SAR China",
    "NL": "Holland",
    "PM": "St Pierre and Miquelon",
    "PN": "Pitcairn Islands",
    "PS": "Palestine, Palestinian Territories",
    "RU": "Russia",
    "SH": "St Helena",
    "ST": "Sao Tome and Principe",
    "SX": "Sint Maarten",
    "SZ": "Swaziland",
    "TL": "East Timor",
    "TR": "Turkey",
    "VA": "Vatican, Vatican City",
    "VC": "St Vincent and the Grenadines",
    "VI": "US Virgin Islands",
    "XK": "XK, XKX, Kosovo",
}
"""Names in everyday use that ISO 3166 lacks. XK is not an ISO code, but phone companies and vendors use it."""


def alpha2(text: str) -> str | None:
    """The code of a country by its alpha-2 or alpha-3 code or its English name, ignoring case; None if it is unknown.

    UK is taken for GB.
    """
    return _codes().get(_key(text))


def names() -> dict[str, str]:
    """Alpha-2 code → English name, sorted by name."""
    listed = {country.alpha_2: getattr(country, "common_name", country.name) for country in pycountry.countries}
    return dict(sorted({**listed, "XK": "Kosovo"}.items(), key=lambda entry: _key(entry[1])))


@cache
def _codes() -> dict[str, str]:
    codes: dict[str, str] = {}
    for code, everyday in _EVERYDAY.items():
        codes |= {_key(name): code for name in everyday.split(", ")}
    for country in pycountry.countries:
        official = [getattr(country, name, "") for name in ("name", "common_name", "official_name")]
        for name in (country.alpha_2, country.alpha_3, *official):
            codes[_key(name)] = country.alpha_2
            last, comma, first = name.partition(", ")
            if comma:
                codes[_key(f"{first} {last}")] = country.alpha_2
    codes.pop("", None)
    return codes


def _key(text: str) -> str:
    """The text without case, accents, punctuation and the article, and with Saint as St."""
    plain = unicodedata.normalize("NFKD", text.replace("&", " and ")).casefold()
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    words = re.sub(r"[.'\u2019]", "", plain)
    words = " ".join(re.sub(r"[^\w]+", " ", words).split())
    return re.sub(r"\bsaint\b", "st", words.removeprefix("the "))
