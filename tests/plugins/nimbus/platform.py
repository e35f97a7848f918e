"""How to connect to Nimbus, and what its errors mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.parameters import Parameter
from destinations.contract import Gate, Platform, Purpose, Workspace
from destinations.kit.answer import Answer, Failure
from destinations.kit.client import ApiClient
from destinations.kit.credentials import token_from
from destinations.kit.errors import ErrorTable, Next, Rule
from destinations.kit.headers import QuotaHeaders

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from core.errors import Problem
    from destinations.contract import Quota

_ADMIN = "Nimbus does not accept the key. Create a new one in Nimbus under Keys."
TABLE = ErrorTable(
    "Nimbus",
    (
        Rule(Next.SETTINGS, _ADMIN, status=401, where="token"),
        Rule(Next.SETTINGS, _ADMIN, status=403, where="token"),
        Rule(Next.SETTINGS, "Nimbus does not have this address.", status=404, code="no_route"),
        Rule(Next.SETTINGS, "Nimbus has no such field, or can't write it.", code="field_unknown"),
        Rule(Next.SETTINGS, "Nimbus can't write this field.", code="field_read_only"),
        Rule(Next.WAIT, "Nimbus is changing this record.", status=409),
    ),
)
QUOTA = QuotaHeaders(window_seconds=60)


def failure(answer: Answer, error: Mapping[str, Any] | None = None) -> Failure:
    """The error in an answer, or one of those in the answer to a batch."""
    found = error if error is not None else answer.at("error")
    details = found if isinstance(found, dict) else {}
    return Failure(
        answer,
        str(details.get("code") or ""),
        str(details.get("message") or ""),
        str(details.get("field") or ""),
        readable=answer.json and isinstance(answer.body, dict),
    )


class NimbusClient(ApiClient):
    vendor = "Nimbus"
    url_variable = "NIMBUS_API_URL"

    def problem(self, answer: Answer) -> Problem:
        return TABLE.problem(failure(answer))

    def read_quota(self, headers: Mapping[str, str], now: datetime) -> Quota | None:
        return QUOTA.read(headers, now)


class Nimbus(Platform):
    slug = "nimbus"
    label = "Nimbus"
    summary = "Accounts in the cloud."
    guide = ("Open Nimbus, and press Keys.", "Create a key, and paste it here.")
    scopes = ("Write accounts",)
    url_variable = "NIMBUS_API_URL"
    sandbox_port = 8093
    parameters = (Parameter("token", "Key", kind="secret", help="In Nimbus: Keys, New key."),)

    def default_url(self, settings: Mapping[str, Any]) -> str:
        return "https://api.nimbus.example"

    def client(self, settings: Mapping[str, Any], gate: Gate, threads: int) -> NimbusClient:
        token = token_from(settings, "Nimbus")
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        return NimbusClient(self.url(settings), headers, gate, threads, secret=token)

    def check(self, client: NimbusClient) -> Workspace:
        answer = client.call(Purpose.DISCOVERY, "GET", "/account")
        if not answer.text("id"):
            raise TABLE.unusable(answer)
        return Workspace(answer.text("id"), answer.text("name"))


NIMBUS = Nimbus()
