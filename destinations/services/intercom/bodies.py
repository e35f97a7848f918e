"""PURE. Request and answer bodies: standard attributes at the top level, custom ones under `custom_attributes`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from core.errors import Rejected
from destinations.services.intercom import errors
from destinations.services.intercom.attributes import COMPANY, MATCH, Model
from destinations.services.intercom.values.conversion import LATEST_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from destinations.contract import Field, Wire
    from destinations.kit.answer import Answer

_TIMES = ("date", "datetime")


def request_body(values: Mapping[str, Wire], model: Model = COMPANY) -> dict[str, Wire]:
    """The body of a request that writes these values."""
    standard = {name: value for name, value in values.items() if name in model.writable}
    custom = {name: value for name, value in values.items() if name not in model.writable}
    return {**standard, "custom_attributes": custom} if custom else standard


def attribute_values(record: Mapping[str, Any], model: Model = COMPANY) -> dict[str, Any]:
    """The attributes of a record in an answer by name, in the form in which they would be written."""
    custom = record.get("custom_attributes")
    standard = {name: record.get(name) for name in model.writable}
    if isinstance(plan := standard.get("plan"), dict):
        standard["plan"] = plan.get("name")
    return {**(custom if isinstance(custom, dict) else {}), **standard}


def holds(name: str, wire: Wire, values: Mapping[str, Any], *, ignores_case: bool = False) -> bool:
    """Whether a record holds what would be sent.

    Args:
        wire: as it would be sent; None clears the attribute.
        values: as `attribute_values` returns them.
        ignores_case: Intercom takes texts that differ only in case for the same.
    """
    current = values.get(name)
    if wire is None:
        return _is_clear(name, current)
    if isinstance(wire, str):
        texts = [text.strip().casefold() if ignores_case else text.strip() for text in (wire, str(current))]
        return isinstance(current, str) and texts[0] == texts[1]
    if isinstance(wire, bool) or isinstance(current, bool):
        return current is wire
    return isinstance(current, int | float) and current == wire


def shown(field: Field, values: Mapping[str, Any]) -> Any:
    """The value as people read it: a time instead of seconds. None if there is none.

    Args:
        values: as `attribute_values` returns them.
    """
    value = values.get(field.name)
    if _is_clear(field.name, value):
        return None
    moment = timestamp(value) if field.type in _TIMES else None
    return moment.isoformat().replace("+00:00", "Z") if moment else value


def holds_nothing(name: str, values: Mapping[str, Any]) -> bool:
    """Whether a record holds no value. `values`: as `attribute_values` returns them."""
    return _is_clear(name, values.get(name))


def not_cleared(sent: Mapping[str, Wire], record: Mapping[str, Any], model: Model = COMPANY) -> list[str]:
    """The attributes that were sent as null but still have a value in Intercom's answer."""
    current = attribute_values(record, model)
    return [name for name, value in sent.items() if value is None and not _is_clear(name, current.get(name))]


def check_cleared(sent: Mapping[str, Wire], record: Mapping[str, Any], request_id: str, model: Model = COMPANY) -> None:
    """Raises Rejected if Intercom kept a value that it was asked to clear.

    Its documentation does not promise that null clears a value, so the answer is compared with the request.
    """
    if names := not_cleared(sent, record, model):
        raise _not_cleared_error(names, request_id)


def timestamp(seconds: Any) -> datetime | None:
    """A time from Intercom, in whole Unix seconds; None if the value is not a valid time."""
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 <= seconds <= LATEST_SECONDS:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def company_in(answer: Answer | None, company_id: str) -> Mapping[str, Any] | None:
    """The company with exactly this company_id in the answer to a lookup; None if there is none."""
    for company in _companies(answer) if answer else ():
        if str(company.get(MATCH)) == company_id and company.get("id"):
            return company
    return None


def _companies(answer: Answer) -> Iterable[Mapping[str, Any]]:
    listed = answer.entries("data") if "data" in answer.body else answer.entries("companies")
    if listed is None and not isinstance(answer.body.get("id"), str):
        raise errors.TABLE.unusable(answer)
    return [answer.body] if listed is None else listed


def _not_cleared_error(names: Sequence[str], request_id: str) -> Rejected:
    return Rejected(
        "not_cleared",
        f"Intercom did not clear {', '.join(names)}. Clear the value in Intercom, "
        "or set the mapping to keep existing values.",
        field=names[0],
        request_id=request_id,
    )


def _is_clear(name: str, value: Any) -> bool:
    # Intercom returns 0 for a monthly spend that is not set.
    return value in (None, "") or (name == "monthly_spend" and value == 0)
