"""PURE. Guesses the column that names a row for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segments.contract import ColumnType

if TYPE_CHECKING:
    from collections.abc import Mapping

_BEST = (
    "name", "fullname", "displayname", "companyname", "company", "accountname", "account", "organizationname",
    "organization", "businessname", "legalname", "customername", "customer",
    "contactname", "contact", "productname", "projectname", "dealname",
)  # fmt: skip
_NO_NAMES = ("first", "last", "middle", "sur", "given", "family", "nick", "file", "host", "domain", "event")
"""What stands before "name" in columns that don't name a row."""
_LAST = ("title", "label", "subject", "username", "email", "emailaddress", "domain", "website")


def guess(types: Mapping[str, str], primary_key: str) -> str:
    """The column that most likely names a row; "" if none does.

    Args:
        types: column name → type, in the order of the source.
    """
    letters = {
        "".join(filter(str.isalpha, name.casefold())).replace("isation", "ization"): name
        for name, kind in reversed(list(types.items()))
        if kind == ColumnType.TEXT and name != primary_key
    }
    others = [word for word in reversed(letters) if word.endswith("name") and not word.startswith(_NO_NAMES)]
    found = (letters[word] for word in (*_BEST, *others, *_LAST) if word in letters)
    return next(found, "")
