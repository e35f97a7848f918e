"""The endpoints of Nimbus: fields, search and batches, with its rules for values.

Switches: `fields` adds fields; `revoked` refuses the key; `requests_per_window` (1000) and `window_seconds` (60) are
the rate limit; `skip_every` leaves every nth account out of a batch and of its answer.
"""

from __future__ import annotations

import time
import uuid
from typing import Any

from destinations.sandbox.access import Window, token_of
from destinations.sandbox.base import Sandbox
from destinations.sandbox.wire import ApiError, Collection, Reply, Request, Switch

MOST_ACCOUNTS, MOST_SEARCHED, LONGEST_TEXT = 20, 100, 500
TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,), "email": (str,), "whole": (int,), "decimal": (int, float), "yes_no": (bool,), "day": (str,),
    "time": (int,), "choice": (str,),
}  # fmt: skip
ERRORS = {
    400: "value_invalid", 401: "key_refused", 403: "key_refused", 404: "gone", 409: "locked", 422: "value_invalid",
    429: "slow_down",
}  # fmt: skip
CODES_OF_FIELDS = {"field_unknown", "field_read_only"}


def field(name: str, kind: str = "text", **more: Any) -> dict[str, Any]:
    plain = {"writable": True, "unique": False, "list": False, "required": False, "options": [], "custom": False}
    return {"name": name, "label": name.replace("_", " ").title(), "type": kind, "archived": False, **plain, **more}


STANDARD = (
    field("email", "email", unique=True, required=True),
    field("code", unique=True),
    field("name"),
    field("seats", "whole"),
    field("score", "decimal"),
    field("active", "yes_no"),
    field("founded", "day"),
    field("seen_at", "time"),
    field("tier", "choice", options=["Bronze", "Silver", "Gold"]),
    field("tags", list=True),
    field("created_by", writable=False),
)


class NimbusSandbox(Sandbox):
    slug = "nimbus"
    label = "Nimbus"
    quota_headers = ("X-RateLimit-Remaining", "X-RateLimit-Reset")
    switch_table = (
        Switch("revoked", "Refuse the key (401)"),
        Switch("requests_per_window", "Requests per window (0: no limit)", "number", 1000),
        Switch("window_seconds", "Window length in seconds", "number", 60),
        Switch("skip_every", "Leave every nth account out of a batch", "number", 0),
    )
    routes = (
        ("GET", "/account", "account"),
        ("GET", "/fields", "list_fields"),
        ("POST", "/accounts/search", "search"),
        ("POST", "/accounts/batch", "batch"),
    )

    def reset(self) -> None:
        self.window = Window(time.time)
        self.fields = {entry["name"]: dict(entry) for entry in STANDARD}
        self.accounts: dict[str, dict[str, Any]] = {}
        self.request_id = ""

    def state(self) -> dict[str, Any]:
        return {"accounts": list(self.accounts.values()), "fields": list(self.fields.values())}

    def collections(self) -> dict[str, Collection]:
        return {"accounts": Collection(self.accounts, dict, self._described)}

    def archive(self, kind: str, name: str, archived: bool) -> None:
        self.fields[name]["archived"] = archived

    def example(self, number: int) -> None:
        self._store(None, {"email": f"person-{number}@example.com", "name": f"Person {number}"}, ())

    def error_reply(self, status: int, message: str = "") -> Reply:
        headers = {"Retry-After": "2"} if status == 429 else {}
        return self.refusal(ApiError(status, ERRORS.get(status, "failed"), message or "It failed.", headers=headers))

    def guard(self, request: Request) -> Reply | None:
        self.request_id = str(uuid.uuid4())
        if token_of(request) != self.token or self.switches.get("revoked"):
            raise ApiError(401, "key_refused", "The key is not valid.")
        limit, seconds = (self.switches.get(each.name, each.default) for each in self.switch_table[1:3])
        if not self.window.take(int(limit), float(seconds)):
            raise ApiError(429, "slow_down", "Too many requests.", headers={"Retry-After": "2"})
        return None

    def refusal(self, error: ApiError) -> Reply:
        details = {"code": error.code, "message": str(error), "field": error.field}
        return Reply(error.status, {"error": details}, {"X-Request-Id": self.request_id, **error.headers})

    def unknown(self, request: Request) -> Reply:
        raise ApiError(404, "no_route", "There is nothing here.")

    def headers(self, request: Request) -> dict[str, str]:
        return {"X-Request-Id": self.request_id, **self.window.headers}

    def account(self, request: Request) -> Reply:
        return Reply(body={"id": "nimbus-1", "name": "Nimbus sandbox"})

    def list_fields(self, request: Request) -> Reply:
        return Reply(body={"fields": list(self.fields.values())})

    def search(self, request: Request) -> Reply:
        name, wanted = request.json()["field"], request.json()["values"]
        if len(wanted) > MOST_SEARCHED or not self.fields[name]["unique"]:
            raise ApiError(422, "value_invalid", f"Up to {MOST_SEARCHED} values of a unique field can be searched.")
        found = [account for account in self.accounts.values() if account.get(name) in wanted]
        return Reply(body={"accounts": [{"id": account["id"], "match": account[name]} for account in found]})

    def batch(self, request: Request) -> Reply:
        body = request.json()
        if not 0 < len(body["accounts"]) <= MOST_ACCOUNTS:
            raise ApiError(422, "too_many", f"A batch has 1 to {MOST_ACCOUNTS} accounts.")
        for account in body["accounts"]:
            for name in account["values"]:
                self._check_field(name)
        skipped = int(self.switches.get("skip_every") or 0)
        places = [place for place in range(len(body["accounts"])) if not skipped or (place + 1) % skipped]
        results = [{"place": place, **self._write(body["mode"], body["accounts"][place])} for place in places]
        return Reply(body={"results": results[::-1]})

    def _write(self, mode: str, account: dict[str, Any]) -> dict[str, Any]:
        values = account["values"]
        known = self.accounts.get(account["id"]) if "id" in account else self._owner(account["match"], values)
        if mode == "update" and known is None:
            return {"status": "gone"}
        if mode == "create" and known:
            return {"status": "exists", "id": known["id"]}
        try:
            for name, value in values.items():
                self._check_value(self.fields[name], value, known)
        except ApiError as error:
            details = {"code": error.code, "message": str(error), "field": error.field}
            return {"status": "error", "error": details}
        stored = self._store(known, values, account["replace"])
        return {"status": "updated" if known else "created", "id": stored["id"]}

    def _owner(self, name: str, values: dict[str, Any]) -> dict[str, Any] | None:
        return next((each for each in self.accounts.values() if each.get(name) == values.get(name)), None)

    def _store(self, known: dict[str, Any] | None, values: dict[str, Any], replace: Any) -> dict[str, Any]:
        account = known if known is not None else {"id": uuid.uuid4().hex, "created_by": "key"}
        self.accounts[account["id"]] = account
        for name, value in values.items():
            if self.fields[name]["list"] and name not in replace:
                value = [*account.get(name, ()), *(item for item in value if item not in account.get(name, ()))]
            account[name] = value
        return account

    def _check_field(self, name: str) -> None:
        entry = self.fields.get(name)
        if entry is None or entry["archived"]:
            raise ApiError(422, "field_unknown", f"There is no field {name}.", field=name)
        if not entry["writable"]:
            raise ApiError(422, "field_read_only", f"The field {name} is read-only.", field=name)

    def _check_value(self, entry: dict[str, Any], value: Any, known: dict[str, Any] | None) -> None:
        name = entry["name"]
        refused = ApiError(422, "value_invalid", f"The value of {name} is not valid.", field=name)
        if value is None and not entry["required"] and not entry["list"]:
            return
        if entry["list"] is not isinstance(value, list):
            raise refused
        for item in value if entry["list"] else [value]:
            kinds = TYPES[entry["type"]]
            if not isinstance(item, kinds) or (isinstance(item, bool) and bool not in kinds):
                raise refused
            if entry["options"] and item not in entry["options"]:
                raise refused
            if isinstance(item, str) and (len(item) > LONGEST_TEXT or (entry["type"] == "email" and "@" not in item)):
                raise refused
        owner = self._owner(name, {name: value}) if entry["unique"] else None
        if owner and owner is not known:
            raise ApiError(422, "taken", f"The value of {name} is taken.", field=name)

    def _described(self) -> list[dict[str, Any]]:
        return [
            {
                "name": entry["name"],
                "type": entry["type"],
                "archived": entry["archived"],
                "fixed": not entry["custom"],
                "writable": entry["writable"],
                "unique": entry["unique"],
                "multiple": entry["list"],
                "required": entry["required"],
                **({"options": entry["options"]} if entry["options"] else {}),
            }
            for entry in self.fields.values()
        ]

    def _switch(self, values: dict[str, Any]) -> None:
        for entry in values.pop("fields", ()):
            self.fields[entry["name"]] = field(**entry, custom=True)
        super()._switch(values)
