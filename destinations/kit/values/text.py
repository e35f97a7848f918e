"""PURE. Text: which characters are sent, the source's spelling of a value, and the usual notation of others.

Control characters are never sent. Tabs and line breaks stay. Other breaks (vertical tab, form feed, NEL, U+2028 and
U+2029) become line feeds, and all other control characters are removed.
"""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from core.errors import Rejected
from destinations.kit.values.times import iso_utc

if TYPE_CHECKING:
    from destinations.contract import Field, Origin

CONTROL = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029"
"""The characters that are never sent, for a class of a regular expression."""
_CONTROL = re.compile(f"[{CONTROL}]")
_BREAKS = re.compile("[\x0b\x0c\x85\u2028\u2029]")
_BLANK = re.compile(rf"[\s{CONTROL}]*")
_WHOLE = re.compile(r"(-?\d+)\.0+", re.ASCII)


def clean(text: str) -> str:
    """The text without control characters."""
    return _CONTROL.sub("", _BREAKS.sub("\n", text)) if _CONTROL.search(text) else text


def has_control(text: str) -> bool:
    """Whether the text has characters that are never sent."""
    return _CONTROL.search(text) is not None


def is_blank(text: str) -> bool:
    """Whether the text has only whitespace and control characters."""
    return _BLANK.fullmatch(text) is not None


def is_unicode(text: str) -> bool:
    """Whether the text can be encoded. An unpaired surrogate can't, and would make the whole request fail."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def prepared(field: Field, value: Any, *, broken: str) -> Any:
    """The value without control characters, those in lists and objects included.

    Args:
        broken: the code of the error for text that is not valid Unicode.

    Raises:
        Rejected: the text is not valid Unicode, or consists of control characters alone. Also if the field identifies
            records: without the control characters, it could be the value of a different record.
    """
    if isinstance(value, str):
        return _prepared(field, value, broken)
    if isinstance(value, list):
        return [prepared(field, item, broken=broken) for item in value]
    if isinstance(value, dict):
        return {
            prepared(field, name, broken=broken): prepared(field, item, broken=broken) for name, item in value.items()
        }
    return value


def spelled(field: Field, value: Any, origin: Origin) -> Any:
    """The source's spelling of a number, date or boolean that it spelled itself; any other value unchanged.

    In a field that identifies records, a whole number that some program wrote as `7.0` is `7`.
    """
    if not origin.text or not isinstance(value, int | float | Decimal | date):
        return value
    whole = _WHOLE.fullmatch(origin.text) if identifies(field) else None
    return whole[1] if whole else origin.text


def identifies(field: Field) -> bool:
    """Whether records are found by the field's values."""
    return field.matchable or field.unique


def plain_text(value: Any) -> str:
    """A scalar in its usual notation, a list joined with commas, anything else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return format(Decimal(value), "f")
    if isinstance(value, float | Decimal):
        return decimal_text(Decimal(str(value)))
    if isinstance(value, datetime):
        return iso_utc(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list) and all(isinstance(item, str | int | float | Decimal) for item in value):
        return ", ".join(plain_text(item) for item in value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def decimal_text(number: Decimal) -> str:
    """The digits of a number, without an exponent and without zeros at the end of its decimals."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _prepared(field: Field, text: str, broken: str) -> str:
    if not is_unicode(text):
        raise Rejected(
            broken,
            f"The value for “{field.name}” contains broken characters, which are not valid Unicode. "
            "Correct the text in the source.",
            field=field.name,
        )
    if not has_control(text):
        return text
    if identifies(field):
        raise Rejected(
            "control_characters",
            f"The value for “{field.name}” contains control characters, such as a null character. Records are "
            "identified by this attribute, so nothing is removed from its values. Correct the text in the source.",
            field=field.name,
        )
    if is_blank(text):
        raise Rejected(
            "control_characters",
            f"The value for “{field.name}” has only control characters and whitespace. Correct the text in the source.",
            field=field.name,
        )
    return clean(text)
