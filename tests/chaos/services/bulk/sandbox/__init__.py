"""A simulated Bulk workspace."""

from __future__ import annotations

from typing import Any

from destinations.sandbox.base import Sandbox
from destinations.sandbox.wire import ApiError, Collection, Reply, Request

__all__ = ["SANDBOXES"]

REFUSED_CATEGORY = "Time Travel"


class BulkSandbox(Sandbox):
    """Stores companies by number. A category that it doesn't have refuses the whole request."""

    slug = "bulk"
    label = "Bulk"
    routes = (("GET", "/me", "me"), ("GET", "/lookup/(.+)", "look_up"), ("POST", "/records", "write"))
    switch_table = ()

    def reset(self) -> None:
        self.records: dict[str, dict[str, Any]] = {}

    def state(self) -> dict[str, Any]:
        with self.lock:
            return {"records": [{"id": key, **record} for key, record in self.records.items()]}

    def guard(self, request: Request) -> Reply | None:
        wanted = f"Bearer {self.token}"
        return None if request.headers.get("authorization") == wanted else Reply(401, {"message": "Wrong token"})

    def refusal(self, error: ApiError) -> Reply:
        return Reply(error.status, {"message": error.message})

    def unknown(self, request: Request) -> Reply:
        return Reply(404, {"message": "Unknown address"})

    def error_reply(self, status: int, message: str = "") -> Reply:
        return Reply(status, {"message": message})

    def collections(self) -> dict[str, Collection]:
        return {"companies": Collection(self.records, dict, list)}

    def archive(self, kind: str, name: str, archived: bool) -> None:
        raise KeyError(name)

    def example(self, number: int) -> None:
        self._store({"number": f"example-{number}", "values": {}})

    def me(self, request: Request) -> Reply:
        return Reply(200, {"id": "bulk-1"})

    def look_up(self, request: Request, numbers: str) -> Reply:
        return Reply(200, {number: key for number in numbers.split(",") if (key := self._holder(number))})

    def write(self, request: Request) -> Reply:
        records = request.json()["records"]
        if any(record["values"].get("category") == REFUSED_CATEGORY for record in records):
            raise ApiError(400, "refused", "One of these records has an unknown category.")
        return Reply(200, {"results": [self._store(record) for record in records]})

    def _store(self, record: dict[str, Any]) -> dict[str, Any]:
        if "id" in record and record["id"] not in self.records:
            return {"gone": True}
        known = record.get("id") or self._holder(record["number"])
        key = known or f"b{len(self.records) + 1}"
        stored = self.records.setdefault(key, {"number": record.get("number"), "values": {}})
        stored["values"].update(record["values"])
        return {"id": key, "created": not known}

    def _holder(self, number: str) -> str:
        return next((key for key, record in self.records.items() if record["number"] == number), "")


SANDBOXES = [BulkSandbox]
