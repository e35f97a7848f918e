"""Intercom as a platform: its parameters, its regions, and the check of a token."""

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
    """Intercom, signed in to by the access token of a private app."""

    slug = "intercom"
    label = "Intercom"
    parameters = (
        Parameter(
            "token",
            "Access token",
            "secret",
            help="In Intercom's Developer Hub: your app, Configure, Authentication. It needs the permissions to read and write "
            "users and companies, to write data attributes, and to read one admin.",
        ),
        Parameter(
            "region",
            "Region",
            "choice",
            default="us",
            choices=tuple((slug, label) for slug, (label, _) in REGIONS.items()),
            help="Where Intercom hosts your workspace.",
        ),
    )
    url_variable = "INTERCOM_API_URL"
    sandbox_port = 8082

    def default_url(self, settings: Mapping[str, Any]) -> str:
        """The host of the chosen region."""
        return REGIONS[_region(settings)][1]

    def client(self, settings: Mapping[str, Any], gate: Gate, threads: int) -> IntercomClient:
        """A client for up to `threads` threads.

        Raises:
            Misconfigured: no token, one that can't be a token, or an unknown region.
        """
        region = _region(settings)
        return IntercomClient(self.url(settings), _token(settings), region, gate, threads)

    def check(self, client: IntercomClient) -> Workspace:
        """Asks `GET /me` whose workspace the token opens, compares its region with the chosen one, and reads an attribute list.

        So a permission to read that the token lacks is named here. Those to write can't be tried without writing.
        """
        app = client.me().get("app")
        if not isinstance(app, dict) or not app.get("id_code"):
            raise Unavailable(
                "workspace_missing", "Intercom did not say which workspace the token belongs to. Try again."
            )
        actual = str(app.get("region") or "").lower()
        if actual in REGIONS and actual != client.region:
            raise Misconfigured(
                "wrong_region",
                f"This workspace is in {_named(actual)}, the connection says {_named(client.region)}. Choose the region {_named(actual)}.",
                where="region",
            )
        client.attributes("company")
        facts = {name: str(app[name]) for name in ("region", "timezone") if app.get(name)}
        return Workspace(str(app["id_code"]), str(app.get("name") or app["id_code"]), facts)


def _region(settings: Mapping[str, Any]) -> str:
    region = str(settings.get("region") or "us")
    if region not in REGIONS:
        raise Misconfigured(
            "region_unknown", f"Intercom has no region {region!r}. Choose one of: {', '.join(REGIONS)}.", where="region"
        )
    return region


def _token(settings: Mapping[str, Any]) -> str:
    token = str(settings.get("token") or "").strip()
    if not token:
        raise Misconfigured(
            "token_missing", "The connection has no access token. Enter the one of your Intercom app.", where="token"
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise Misconfigured(
            "token_malformed", "This is no access token of Intercom. Copy it again, without spaces.", where="token"
        )
    return token


def _named(region: str) -> str:
    return f"{region.upper()} ({REGIONS[region][0]})"


PLATFORM = Intercom()
