"""The two addresses of a sign-in at the identity provider: where it begins, and where it comes back."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django.conf import settings
from django.http import Http404
from django.shortcuts import render
from requests import RequestException

from dinmo.accounts.provider import Exchange, SingleSignOn

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


def begin(request: HttpRequest) -> HttpResponse:
    """Sends the person to the provider. A link from elsewhere first shows a page with a button."""
    response = _at_provider(request, OAuth2LoginView)
    if response.status_code != HTTPStatus.FOUND:
        return response
    # The content security policy lets a form lead to no other site, also not by a redirect.
    context = {"title": f"To {settings.OIDC_NAME}", "address": response["Location"]}
    return render(request, "accounts/to_provider.html", context)


def finish(request: HttpRequest) -> HttpResponse:
    """Where the provider sends the person back to."""
    return _at_provider(request, OAuth2CallbackView)


def _at_provider(request: HttpRequest, view: type[OAuth2LoginView | OAuth2CallbackView]) -> HttpResponse:
    if not settings.OIDC_ISSUER:
        raise Http404
    exchange = Exchange(request, SingleSignOn.id)
    try:
        return view.adapter_view(exchange)(request)
    except (OAuth2Error, RequestException, KeyError) as error:
        return render_authentication_error(request, exchange.get_provider(), exception=error)
