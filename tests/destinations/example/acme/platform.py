"""The Acme platform: how to connect to an account, and how to check an access token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.parameters import Parameter
from destinations.contract import Gate, Platform, Purpose, Workspace
from destinations.kit.credentials import token_from
from destinations.services.acme.client import AcmeClient
from destinations.services.acme.errors import TABLE

if TYPE_CHECKING:
    from collections.abc import Mapping


class Acme(Platform):
    slug = "acme"
    label = "Acme"
    summary = "A vendor made up for tests."
    guide = ("Create a token in Acme, and paste it here.",)
    scopes = ("Write companies",)
    url_variable = AcmeClient.url_variable
    sandbox_port = 8083
    parameters = (Parameter("token", "Access token", kind="secret", help="Create one in Acme."),)

    def default_url(self, settings: Mapping[str, Any]) -> str:
        return "https://api.acme.example"

    def client(self, settings: Mapping[str, Any], gate: Gate, threads: int) -> AcmeClient:
        return AcmeClient(self.url(settings), token_from(settings, self.label), gate, threads)

    def check(self, client: AcmeClient) -> Workspace:
        answer = client.call(Purpose.DISCOVERY, "GET", "/me")
        if not answer.text("id"):
            raise TABLE.unusable(answer)
        return Workspace(answer.text("id"), answer.text("name") or answer.text("id"))
