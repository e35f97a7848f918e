"""What people see of records whose values they may not see: keys, names of fields, outcomes and reasons.

Names of records are values too: they come from a column of the source.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from activations.models import Change
from segments.screens.record_values import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from activations.models import Attachment
    from activations.screens.run.causes import Cause
    from activations.screens.run.exchanges import Shown
    from activations.screens.run.fields import Earlier
    from activations.storage.held_values import Fields

IN_VENDORS_WORDS = (Change.Outcome.REJECTED, Change.Outcome.UNKNOWN)
"""Their messages may be the vendor's own, and quote anything. The messages of others are ours, and quote no value."""


def mask(change: Change) -> Change:
    """Removes the values from a change that is not saved afterwards. Returns it."""
    change.message = reason(change.outcome, change.message)
    change.name, change.plain_name, change.match_identity = "", None, ""
    change.match_value = None if change.match_value is None else HIDDEN
    change.values = _masked(change.values)
    return change


def mask_all(changes: Iterable[Change]) -> list[Change]:
    """Several changes without their values."""
    return [mask(change) for change in changes]


def mask_attachment(attachment: Attachment) -> Attachment:
    """Removes the name and the vendor's words from what a run did about a hidden record. Returns it."""
    attachment.name = ""
    if attachment.outcome == attachment.Outcome.REFUSED:
        attachment.message = reason(Change.Outcome.REJECTED, attachment.message)
    return attachment


def mask_cause(cause: Cause) -> Cause:
    """A cause without the names of its examples, and without the values that were refused."""
    others = tuple(mask_all(cause.others))
    return replace(cause, message=reason(cause.outcome, cause.message), name="", values="", others=others)


def mask_earlier(earlier: Earlier) -> Earlier:
    """What was accepted before, without the values."""
    return {
        digest: [(pk, names, _masked(values)) for pk, names, values in accepted] for digest, accepted in earlier.items()
    }


def mask_held(held: Mapping[int, Fields]) -> dict[int, Fields]:
    """What the destination held, without the values. It stays known whether they are the same as ours."""
    return {
        pk: {name: {**field, **({"held": HIDDEN} if "held" in field else {})} for name, field in fields.items()}
        for pk, fields in held.items()
    }


def mask_exchange(exchange: Shown) -> Shown:
    """A request and its response without addresses and bodies."""
    request, response = (HIDDEN if body else "" for body in (exchange.request, exchange.response))
    return replace(exchange, url=HIDDEN, request=request, response=response)


def reason(outcome: str, message: str) -> str:
    """PURE. A message that quotes no value."""
    if message and outcome in IN_VENDORS_WORDS:
        return "The destination's own words are hidden, because they may quote a value. The code says what it is about."
    return message


def _masked(values: Any) -> Any:
    """Each attribute with the placeholder. Rows that share a key are stored as lists of such values."""
    if not isinstance(values, dict):
        return {}
    if set(values) == {"rows"} and isinstance(values["rows"], list):
        return {"rows": [_masked(row) for row in values["rows"]]}
    return dict.fromkeys(values, HIDDEN)
