"""The Attio platform: how to connect to a workspace, and how to check an access token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.errors import Misconfigured, Unavailable
from core.parameters import Parameter
from destinations.contract import Gate, Platform, Purpose, Workspace
from destinations.services.attio.client import Client

if TYPE_CHECKING:
    from collections.abc import Mapping

SCOPES = {
    "record_permission:read-write": "Records: read-write",
    "object_configuration:read": "Object configuration: read",
}
"""The scopes that every write needs, with their labels in Attio. Official documentation, per operation."""


class Attio(Platform):
    slug = "attio"
    label = "Attio"
    summary = "A CRM. Companies and people, with the attributes that you choose."
    guide = (
        "Sign in to Attio as an administrator of the workspace.",
        "Open Workspace settings, then Developers.",
        "Press New access token, and name it, for example after this app.",
        "Give it the two permissions below. Others are not needed.",
        "Copy the token and paste it here. It is stored encrypted and never shown again.",
    )
    scopes = ("Records: read and write", "Object configuration: read")
    url_variable = "ATTIO_API_URL"
    sandbox_port = 8081
    parameters = (
        Parameter(
            "token",
            "Access token",
            kind="secret",
            help="From Attio: Workspace settings, Developers, New access token.",
        ),
    )

    def default_url(self, settings: Mapping[str, Any]) -> str:
        return "https://api.attio.com"

    def client(self, settings: Mapping[str, Any], gate: Gate, threads: int) -> Client:
        return Client(self.url(settings), str(settings.get("token") or "").strip(), gate, threads)

    def check(self, client: Client) -> Workspace:
        """Requests the workspace of the token. Attio answers 200 even for an unknown token, so `active` decides."""
        token = client.call(Purpose.DISCOVERY, "GET", "/self").body
        if not isinstance(token.get("active"), bool):
            raise Unavailable(
                "unusable_answer",
                "Attio's response did not say whether it recognizes the access token. Try again later.",
            )
        if not token["active"]:
            raise Misconfigured(
                "token_inactive",
                "Attio does not recognize this access token, or it was revoked. Create a new one in Attio under "
                "Workspace settings, Developers, and enter it here.",
                where="token",
            )
        _check_scopes(token.get("scope"))
        workspace_id = token.get("workspace_id") or token.get("sub")
        if not workspace_id:
            raise Unavailable(
                "unusable_answer",
                "Attio's response did not include the workspace of the access token. Try again later.",
            )
        details = {"slug": token.get("workspace_slug"), "logo_url": token.get("workspace_logo_url")}
        return Workspace(
            str(workspace_id),
            str(token.get("workspace_name") or workspace_id),
            {name: str(value) for name, value in details.items() if value},
        )


def _check_scopes(scope: Any) -> None:
    """Raises Misconfigured with the missing scopes. Skipped if Attio omits the scopes: it guarantees only `active`."""
    if not isinstance(scope, str):
        return
    granted = set(scope.split())
    granted |= {f"{name}:read" for name, _, right in (item.partition(":") for item in granted) if right == "read-write"}
    missing = [f"{label} ({name})" for name, label in SCOPES.items() if name not in granted]
    if missing:
        raise Misconfigured(
            "scope_missing",
            "The access token lacks required scopes. Grant them in Attio under Workspace settings, Developers: "
            f"{', '.join(missing)}.",
            where="token",
        )
