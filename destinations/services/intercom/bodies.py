"""PURE. Records as requests and answers hold them: standard attributes at the top, custom ones below `custom_attributes`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from core.errors import Rejected
from destinations.services.intercom.fields import COMPANY, Model
from destinations.services.intercom.values.conversion import LATEST_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from destinations.contract import Wire


def body(sent: Mapping[str, Wire], model: Model = COMPANY) -> dict[str, Wire]:
    """The values as a request holds them."""
    made = {name: value for name, value in sent.items() if name in model.writable}
    others = {name: value for name, value in sent.items() if name not in model.writable}
    return {**made, "custom_attributes": others} if others else made


def held(record: Mapping[str, Any], model: Model = COMPANY) -> dict[str, Any]:
    """The attributes of an answer by name, as they would be written."""
    others = record.get("custom_attributes")
    standard = {name: record.get(name) for name in model.writable}
    if isinstance(plan := standard.get("plan"), dict):
        standard["plan"] = plan.get("name")
    return {**(others if isinstance(others, dict) else {}), **standard}


def not_cleared(sent: Mapping[str, Wire], record: Mapping[str, Any], model: Model = COMPANY) -> list[str]:
    """Those of the cleared attributes that still hold something in Intercom's answer."""
    now = held(record, model)
    return [name for name, value in sent.items() if value is None and not _is_clear(name, now.get(name))]


def check_cleared(sent: Mapping[str, Wire], record: Mapping[str, Any], request_id: str, model: Model = COMPANY) -> None:
    """Raises Rejected where Intercom kept a value that it was asked to clear: no document promises that null clears."""
    if kept := not_cleared(sent, record, model):
        raise _kept(kept, request_id)


def moment(seconds: Any) -> datetime | None:
    """A time of Intercom, in whole unix seconds; None where it is none."""
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 <= seconds <= LATEST_SECONDS:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _kept(names: Sequence[str], request_id: str) -> Rejected:
    return Rejected(
        "not_cleared",
        f"Intercom kept its value of {', '.join(names)} although it was asked to clear it. Clear it in Intercom, "
        "or let the mapping keep what is there.",
        field=names[0],
        request_id=request_id,
    )


def _is_clear(name: str, value: Any) -> bool:
    # Intercom shows no spend as 0.
    return value in (None, "") or (name == "monthly_spend" and value == 0)
