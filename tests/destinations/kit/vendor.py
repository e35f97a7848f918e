"""An invented vendor with a client and a simulator that consist of little more than the kit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from destinations.kit.answer import Answer, Failure
from destinations.kit.client import ApiClient
from destinations.kit.errors import ErrorTable
from destinations.kit.headers import QuotaHeaders
from destinations.sandbox.api import ApiSandbox
from destinations.sandbox.table import Attribute, Table
from destinations.sandbox.wire import ApiError, Reply, Request

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from core.errors import Problem
    from destinations.contract import Quota

TABLE = ErrorTable("Acme", ())


class AcmeClient(ApiClient):
    vendor = "Acme"
    url_variable = "ACME_API_URL"

    def read_quota(self, headers: Mapping[str, str], now: datetime) -> Quota | None:
        return QuotaHeaders(window_seconds=10).read(headers, now)

    def problem(self, answer: Answer) -> Problem:
        code, message = answer.text("error", "code"), answer.text("error", "message")
        return TABLE.problem(Failure(answer, code, message, readable=isinstance(answer.body, dict)))


class AcmeSandbox(ApiSandbox):
    slug = "acme"
    label = "Acme"
    routes = (("GET", "/companies/([^/]+)", "show"), ("PUT", "/companies", "save"), ("POST", "/broken", "broken"))

    def empty_tables(self) -> dict[str, Table]:
        return {"companies": Table(Attribute("key", unique=True), Attribute("size", "number"))}

    def error_body(self, error: ApiError) -> Any:
        return {"error": {"code": error.code, "message": error.message, "field": error.field}}

    def example(self, number: int) -> None:
        self.tables["companies"].save({"key": f"example-{number}"})

    def show(self, request: Request, remote_id: str) -> Reply:
        return Reply(body=self.tables["companies"].get(remote_id))

    def save(self, request: Request) -> Reply:
        return Reply(body=self.tables["companies"].save(request.json()))

    def broken(self, request: Request) -> Reply:
        return Reply(body=request.json()["missing"])
