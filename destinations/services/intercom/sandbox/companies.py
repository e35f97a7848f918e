"""The companies of a simulated Intercom workspace: validation and storage of writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from destinations.sandbox.wire import ApiError
from destinations.services.intercom.sandbox.rules import bad_parameter, company_not_found, invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from destinations.services.intercom.sandbox.attributes import DataAttributes

TEXT_KEYS = {"name", "website", "industry"}
UPDATABLE = TEXT_KEYS | {"plan", "size", "monthly_spend", "custom_attributes"}
CREATABLE = UPDATABLE | {"company_id", "remote_created_at"}
LARGEST_SPEND = 2**31 - 1
STRING_LENGTH = 255

Company = dict[str, Any]


class Companies:
    """Companies by Intercom ID and by `company_id`. All times are in Unix seconds."""

    def __init__(self, switches: Mapping[str, Any]) -> None:
        self.switches = switches
        self.by_id: dict[str, Company] = {}
        self.by_company_id: dict[str, str] = {}
        self.archived: dict[str, Company] = {}
        self.plans: dict[str, str] = {}
        self.created_count = 0

    def get(self, remote_id: str) -> Company:
        """The company with this Intercom ID. Raises ApiError if there is none."""
        if remote_id not in self.by_id:
            raise company_not_found()
        return self.by_id[remote_id]

    def find(self, company_id: str) -> Company | None:
        return self.by_id.get(self.by_company_id.get(company_id, ""))

    def visible(self) -> list[Company]:
        """Companies with a contact, the most recently active first. Intercom lists only these."""
        visible = [company for company in self.by_id.values() if company["user_count"]]
        return sorted(visible, key=lambda company: company.get("last_request_at", 0), reverse=True)

    def scrollable(self) -> list[Company]:
        """The companies in the scroll. Intercom does not document whether it hides those without contacts."""
        return list(self.by_id.values()) if self.switches.get("scroll_shows_all") else self.visible()

    def save(self, company_id: str, values: Mapping[str, Any], now: int) -> Company:
        """Updates the company with this company_id, or creates it."""
        company = self.find(company_id) or self._create(company_id, now)
        return self.apply(company, values, now)

    def apply(self, company: Company, values: Mapping[str, Any], now: int) -> Company:
        """Writes validated values. Other attributes stay as they are."""
        clears = self.switches.get("null_clears", True)
        for key, value in values.items():
            if key == "custom_attributes":
                company[key].update({name: new for name, new in (value or {}).items() if new is not None or clears})
            elif value is None and clears:
                _clear(company, key)
            elif value is not None:
                company[key] = self._plan(value) if key == "plan" else value
        company["updated_at"] = now
        return company

    def preload(self, entry: Mapping[str, Any], now: int) -> None:
        """Stores a company without validation, to prepare a workspace."""
        values = {key: value for key, value in entry.items() if key != "id"}
        company = self.find(str(entry["company_id"])) or self._create(
            str(entry["company_id"]), now, str(entry.get("id", ""))
        )
        self.apply(company, values, now)
        company["company_id"] = str(entry["company_id"])

    def delete(self, remote_id: str) -> Company:
        """Archives the company. It can no longer be found."""
        company = self.get(remote_id)
        del self.by_id[remote_id], self.by_company_id[company["company_id"]]
        company["user_count"] = 0
        self.archived[company["company_id"]] = company
        return company

    def _create(self, company_id: str, now: int, remote_id: str = "") -> Company:
        if self.switches.get("archived_company") == "restore" and company_id in self.archived:
            company = self.archived.pop(company_id)
        else:
            company = self._new_company(company_id, now, remote_id)
        self.by_id[company["id"]] = company
        self.by_company_id[company_id] = company["id"]
        return company

    def _new_company(self, company_id: str, now: int, remote_id: str) -> Company:
        self.created_count += 1
        source = {"creation_source": "api"} if self.switches.get("creation_source", True) else {}
        return {
            "type": "company",
            "company_id": company_id,
            "id": remote_id or f"{now:08x}{self.created_count:016x}",
            "app_id": self.switches.get("workspace_id", "sandbox1"),
            "created_at": now,
            "updated_at": now,
            "monthly_spend": 0,
            "session_count": 0,
            "user_count": 0,
            "plan": {},
            "custom_attributes": dict(source),
        }

    def _plan(self, name: Any) -> dict[str, str]:
        if isinstance(name, dict):
            return name
        return {"type": "plan", "id": self.plans.setdefault(name, str(269315 + len(self.plans))), "name": name}


def company_json(company: Company) -> Company:
    """A company as every endpoint returns it."""
    return {
        **company,
        "tags": {"type": "tag.list", "tags": []},
        "segments": {"type": "segment.list", "segments": []},
        "plan": dict(company["plan"]),
        "custom_attributes": dict(company["custom_attributes"]),
    }


def validated_values(
    sent: Mapping[str, Any], allowed: Iterable[str], attributes: DataAttributes, switches: Mapping[str, Any]
) -> dict[str, Any]:
    """The values in the form in which they are stored, without the company_id.

    Raises:
        ApiError: a key is not accepted, or a value does not fit.
    """
    for key in sent:
        if key not in allowed:
            raise bad_parameter(key)
    values = {
        key: _validated_standard_value(key, value)
        for key, value in sent.items()
        if key not in ("company_id", "custom_attributes")
    }
    if "custom_attributes" in sent:
        custom = sent["custom_attributes"]
        if not isinstance(custom, dict):
            raise bad_parameter("custom_attributes")
        values["custom_attributes"] = {
            name: validated_custom_value(name, value, attributes, switches) for name, value in custom.items()
        }
    return values


def validated_custom_value(
    name: str, value: Any, attributes: DataAttributes, switches: Mapping[str, Any], model: str = "company"
) -> Any:
    """The value of a custom attribute in the form in which it is stored.

    Raises:
        ApiError: there is no such attribute, or the value does not fit.
    """
    entry = attributes.active(name, model)
    if entry is None:
        raise invalid(f"Custom attribute '{name}' does not exist")
    kind = {"string": str, "boolean": bool, "float": int | float}.get(entry["data_type"], int)
    if value is None:
        return None
    if isinstance(value, dict | list):
        raise invalid(f"Custom attribute '{name}' must not be nested")
    if not (isinstance(value, bool) if kind is bool else _has_type(value, kind)):
        raise _type_mismatch(name, entry["data_type"])
    if entry.get("options") and value not in entry["options"] and switches.get("enforce_options", True):
        raise invalid(f"Custom attribute '{name}' must be one of its options")
    return _limited_text(name, value, switches) if isinstance(value, str) else value


def _validated_standard_value(key: str, value: Any) -> Any:
    if value is None:
        return None
    if key == "plan" and not isinstance(value, str):
        raise bad_parameter("plan")
    if key in TEXT_KEYS and not isinstance(value, str):
        raise _type_mismatch(key, "string")
    if key in ("size", "remote_created_at") and not _has_type(value, int):
        raise _type_mismatch(key, "integer")
    if key == "monthly_spend":
        return _whole_spend(value)
    if key == "update_last_request_at" and not isinstance(value, bool):
        raise _type_mismatch(key, "boolean")
    return value


def _whole_spend(value: Any) -> int:
    if not _has_type(value, int | float):
        raise _type_mismatch("monthly_spend", "number")
    if not abs(value) <= LARGEST_SPEND:
        raise invalid(f"monthly_spend must be at most {LARGEST_SPEND}")
    return int(value)


def _limited_text(name: str, value: str, switches: Mapping[str, Any]) -> str:
    if len(value) <= STRING_LENGTH or switches.get("long_strings", "refuse") == "keep":
        return value
    if switches.get("long_strings") == "truncate":
        return value[:STRING_LENGTH]
    raise ApiError(422, "data_invalid", f"Custom attribute '{name}' must be no longer than {STRING_LENGTH} characters")


def _type_mismatch(name: str, kind: str) -> ApiError:
    return ApiError(400, "type_mismatch", f"'{name}' is not of type {kind}", field=name)


def _has_type(value: Any, kind: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _clear(company: Company, key: str) -> None:
    if key in ("monthly_spend", "plan"):
        company[key] = 0 if key == "monthly_spend" else {}
    else:
        company.pop(key, None)
