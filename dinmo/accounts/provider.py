"""The OpenID Connect provider, stricter than allauth's own: PKCE, a nonce, and a signature that is always checked."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.urls import reverse

from dinmo.accounts.sso.id_token import NotValid, claims, nonce_of

if TYPE_CHECKING:
    from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
    from django.http import HttpRequest, HttpResponse

KEPT = ("sub", "email", "email_verified", "preferred_username", "name", "given_name", "family_name")
"""The claims that are stored, besides the groups."""


class Exchange(OpenIDConnectOAuth2Adapter):
    """Exchanges an authorization code for the user's claims."""

    nonce = ""

    @property
    def openid_config(self) -> dict[str, Any]:
        config: dict[str, Any] = super().openid_config
        if str(config.get("issuer", "")).rstrip("/") != settings.OIDC_ISSUER:
            raise OAuth2Error("The issuer of the provider differs from OIDC_ISSUER")
        return config

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return f"{settings.PUBLIC_URL}{reverse('sso_callback')}"

    def get_access_token_data(
        self, request: HttpRequest, app: SocialApp, client: Any, pkce_code_verifier: str | None = None
    ) -> dict[str, Any]:
        self.nonce = nonce_of(pkce_code_verifier or "")
        data: dict[str, Any] = super().get_access_token_data(request, app, client, pkce_code_verifier)
        return data

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> SocialLogin:
        config = self.openid_config
        keys = self._json(config["jwks_uri"]).get("keys", [])
        try:
            signed = claims(kwargs["response"].get("id_token", ""), keys, config["issuer"], app.client_id, self.nonce)
        except NotValid as error:
            raise OAuth2Error(str(error)) from None
        # Providers that keep tokens short send groups only here.
        more = self._json(config["userinfo_endpoint"], token.token) if "userinfo_endpoint" in config else {}
        if more and more.get("sub") != signed["sub"]:
            raise OAuth2Error("The provider sent claims of a different user")
        wanted = (*KEPT, settings.OIDC_GROUP_CLAIM)
        return self.get_provider().sociallogin_from_response(
            request,
            {
                "iss": config["issuer"],
                **{name: all_[name] for all_ in (more, signed) for name in wanted if name in all_},
            },
        )

    def _json(self, address: str, token: str = "") -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        with get_adapter().get_requests_session() as session:
            response = session.get(address, headers=headers)
            response.raise_for_status()
            found: dict[str, Any] = response.json()
        return found


class SingleSignOn(OpenIDConnectProvider):
    """The provider from the environment. Other parameters of its address are ignored."""

    id = "sso"
    name = "Single sign-on"
    oauth2_adapter_class = Exchange

    def get_login_url(self, request: HttpRequest, **_: Any) -> str:
        return reverse("sso_login")

    def get_callback_url(self) -> str:
        return reverse("sso_callback")

    def get_pkce_params(self) -> dict[str, str]:
        params: dict[str, str] = super().get_pkce_params()
        return {**params, "nonce": nonce_of(params["code_verifier"])}

    def redirect(self, request: HttpRequest, process: str, next_url: str | None = None, **_: Any) -> HttpResponse:
        return super().redirect(request, AuthProcess.LOGIN, next_url)

    def extract_uid(self, data: dict[str, Any]) -> str:
        """The user's identity. The subject is unique only together with the issuer."""
        return sha256(f"{data['iss']}\n{data['sub']}".encode()).hexdigest()


provider_classes = [SingleSignOn]
