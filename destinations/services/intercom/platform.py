"""Intercom as a platform: connection parameters, regions and the token check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.errors import Misconfigured, Unavailable
from core.parameters import Parameter
from destinations.contract import Gate, Platform, Workspace
from destinations.services.intercom.client import IntercomClient

if TYPE_CHECKING:
    from collections.abc import Mapping

REGIONS = {
    "us": ("United States", "https://api.intercom.io"),
    "eu": ("Europe", "https://api.eu.intercom.io"),
    "au": ("Australia", "https://api.au.intercom.io"),
}


class Intercom(Platform):
    """Intercom, authenticated with the access token of a private app."""

    slug = "intercom"
    label = "Intercom"
    summary = "Customer messaging and support. Companies and contacts, with custom attributes."
    guide = (
        "Open Intercom's Developer Hub: Settings, Integrations, Developer Hub.",
        "Open your app, or press New app. An app for your own workspace needs no review by Intercom.",
        "In the app, go to Configure, then Authentication.",
        "Check that the app has the permissions below.",
        "Copy the access token and paste it here. It is stored encrypted and never shown again.",
    )
    scopes = (
        "Read and write users and companies",
        "Read and list users and companies",
        "Write data attributes",
        "Read one admin",
    )
    parameters = (
        Parameter(
            "token",
            "Access token",
            "secret",
            help="From Intercom's Developer Hub: your app, Configure, Authentication.",
        ),
        Parameter(
            "region",
            "Region",
            "choice",
            default="us",
            choices=tuple((slug, label) for slug, (label, _) in REGIONS.items()),
            help="The region where Intercom hosts your workspace.",
            recipient=True,
        ),
    )
    url_variable = "INTERCOM_API_URL"
    sandbox_port = 8082

    def default_url(self, settings: Mapping[str, Any]) -> str:
        """The base address of the chosen region."""
        return REGIONS[_region(settings)][1]

    def client(self, settings: Mapping[str, Any], gate: Gate, threads: int) -> IntercomClient:
        """A client for up to `threads` threads.

        Raises:
            Misconfigured: the token is missing or malformed, or the region is unknown.
        """
        region = _region(settings)
        return IntercomClient(self.url(settings), _token(settings), region, gate, threads)

    def check(self, client: IntercomClient) -> Workspace:
        """Reads the token's workspace, compares its region with the chosen one, and reads a list of attributes.

        The list shows whether the token lacks a read permission. Write permissions can't be tested without writing.
        """
        app = client.me().get("app")
        if not isinstance(app, dict) or not app.get("id_code"):
            raise Unavailable(
                "workspace_missing", "Intercom did not return the workspace that the token belongs to. Try again."
            )
        actual = str(app.get("region") or "").lower()
        if actual in REGIONS and actual != client.region:
            raise Misconfigured(
                "wrong_region",
                f"This workspace is in {_region_label(actual)}, but the connection is set to "
                f"{_region_label(client.region)}. Change the region to {_region_label(actual)}.",
                where="region",
            )
        client.attributes("company")
        details = {name: str(app[name]) for name in ("region", "timezone") if app.get(name)}
        return Workspace(str(app["id_code"]), str(app.get("name") or app["id_code"]), details)


def _region(settings: Mapping[str, Any]) -> str:
    region = str(settings.get("region") or "us")
    if region not in REGIONS:
        raise Misconfigured(
            "region_unknown",
            f"“{region}” is not a valid Intercom region. Choose one of: {', '.join(REGIONS)}.",
            where="region",
        )
    return region


def _token(settings: Mapping[str, Any]) -> str:
    token = str(settings.get("token") or "").strip()
    if not token:
        raise Misconfigured(
            "token_missing", "The connection has no access token. Enter the one from your Intercom app.", where="token"
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise Misconfigured(
            "token_malformed",
            "This is not a valid Intercom access token. Copy it again, without spaces.",
            where="token",
        )
    return token


def _region_label(region: str) -> str:
    return f"{region.upper()} ({REGIONS[region][0]})"


PLATFORM = Intercom()
