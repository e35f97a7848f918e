"""The page on which the trigger tokens of an activation are created and revoked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from activations.models import Activation
from activations.runs import tokens
from core.errors import Misconfigured
from core.web.endpoints import number
from core.web.screens import ScreenAdmin

if TYPE_CHECKING:
    from django.http import HttpRequest

MANAGE = "activations.change_triggertoken"


class TokensPage(ScreenAdmin):
    """The trigger tokens of an activation. A new one is shown in the response that creates it, and nowhere else."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.tokens)
        return [path("<int:pk>/tokens/", view, name=self.url_name("tokens")), *super().get_urls()]

    def tokens(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The page. A POST creates a token by its `name`, or revokes the one with the ID `revoke`."""
        activation = Activation.objects.filter(pk=pk).first()
        if activation is None:
            raise Http404
        if not request.user.has_perm(MANAGE):
            raise PermissionDenied
        if request.method == "POST" and "revoke" in request.POST:
            return self._revoke(request, activation)
        secret = self._create(request, activation) if request.method == "POST" else ""
        return self._page(request, activation, secret)

    def _create(self, request: HttpRequest, activation: Activation) -> str:
        try:
            return tokens.create(activation, request.POST.get("name", ""), request.user.get_username())[1]
        except Misconfigured as problem:
            messages.error(request, problem.message)
            return ""

    def _revoke(self, request: HttpRequest, activation: Activation) -> HttpResponse:
        found = tokens.in_use(activation).filter(pk=number(request.POST["revoke"])).first()
        if found:
            tokens.revoke(found, timezone.now())
            messages.success(request, f"Revoked the token “{found.name}”. Requests with it are refused from now on.")
        return HttpResponseRedirect(self.url("tokens", activation.pk))

    def _page(self, request: HttpRequest, activation: Activation, secret: str) -> HttpResponse:
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": activation,
            "title": f"Trigger tokens of {activation}",
            "secret": secret,
            "tokens": tokens.in_use(activation),
            "address": f"{settings.PUBLIC_URL}{reverse('api:trigger')}",
        }
        # The admin lets no browser keep its pages.
        return TemplateResponse(request, "screens/tokens.html", context)
