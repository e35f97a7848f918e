"""A simulated Acme account, modeled on the vendor's documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from destinations.sandbox.api import ApiSandbox
from destinations.sandbox.table import Attribute, Table
from destinations.sandbox.wire import Reply

if TYPE_CHECKING:
    from destinations.sandbox.wire import ApiError, Request


class AcmeSandbox(ApiSandbox):
    """One account with one access token."""

    slug = "acme"
    label = "Acme"
    routes = (
        ("GET", "/me", "account"),
        ("GET", "/companies/attributes", "attributes"),
        ("GET", "/companies", "find"),
        ("POST", "/companies", "create"),
        ("PUT", "/companies", "upsert"),
        ("PATCH", "/companies/([0-9a-f]+)", "update"),
    )

    def empty_tables(self) -> dict[str, Table]:
        return {
            "companies": Table(
                Attribute("external_id", unique=True),
                Attribute("name"),
                Attribute("employees", "number"),
                Attribute("customer", "boolean"),
                Attribute("signed_on", "date"),
                Attribute("score", "number", writable=False),
            )
        }

    def error_body(self, error: ApiError) -> Any:
        return {"error": {"code": error.code, "message": error.message, "field": error.field}}

    def example(self, number: int) -> None:
        self.tables["companies"].save({"external_id": f"example-{number}", "name": f"Example {number}"})

    def account(self, request: Request) -> Reply:
        return Reply(body={"id": "account-1", "name": "Sandbox"})

    def attributes(self, request: Request) -> Reply:
        return Reply(body={"attributes": self.tables["companies"].described()})

    def find(self, request: Request) -> Reply:
        ((name, value),) = request.query.items()
        company = self.tables["companies"].find(name, value)
        return Reply(body={"companies": [company] if company else []})

    def create(self, request: Request) -> Reply:
        return self._saved(request, "")

    def upsert(self, request: Request) -> Reply:
        known = self.tables["companies"].find("external_id", request.json()["company"]["external_id"])
        return self._saved(request, known["id"] if known else "")

    def update(self, request: Request, remote_id: str) -> Reply:
        return self._saved(request, remote_id)

    def _saved(self, request: Request, remote_id: str) -> Reply:
        company = self.tables["companies"].save(request.json()["company"], remote_id)
        return Reply(200 if remote_id else 201, {"company": company})
