"""The endpoints for programs: start a run of an activation with its trigger token, and read how it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.models import AnonymousUser
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.parsers import JSONParser
from rest_framework.permissions import BasePermission
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle

from activations.alerts.rules import warnings_of
from activations.alerts.words import run_words
from activations.models import Run, TriggerToken
from activations.runs import tokens, triggers
from activations.screens.answers import programs as answers
from activations.screens.api import error_json
from core.audit import Actor, Kind, identify
from core.errors import Misconfigured
from core.web.api import schema
from core.web.api.schema import described
from core.web.endpoints import Endpoint
from core.web.error_pages import help_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rest_framework.request import Request

CODES = {401: "token_unknown", 404: "run_unknown", 405: "method_not_allowed", 429: "too_many_requests"}
"""The codes of what the framework refuses, by HTTP status."""
MESSAGES = {
    401: "Send a trigger token that is in use: Authorization: Bearer dt_…",
    404: "The activation of this token has no such run.",
}


FAILURES = {
    **schema.FAILURES,
    401: "There is no trigger token, a wrong one, or a revoked one.",
    404: "The activation of this token has no such run.",
    409: "The activation starts no run now. The message says why, and what to do.",
    429: "Too many requests. Wait for the seconds in `Retry-After`.",
}


class BearerToken(BaseAuthentication):  # type: ignore[misc, unused-ignore]
    """A trigger token in the Authorization header. It opens nothing but the endpoints of this module."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, TriggerToken]:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        token = tokens.find(secret.strip(), timezone.now()) if scheme.lower() == "bearer" else None
        if token is None:
            raise AuthenticationFailed
        identify(Actor(Kind.TOKEN, token.name, token.pk, request.META.get("REMOTE_ADDR", "")))
        return AnonymousUser(), token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="DinMo triggers"'


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[misc, unused-ignore]
    """How the description of the API names the token."""

    target_class = BearerToken
    name = "triggerToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}


class HasToken(BasePermission):  # type: ignore[misc, unused-ignore]
    """The request has a token that was accepted."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.auth, TriggerToken)


class PerToken(SimpleRateThrottle):  # type: ignore[misc, unused-ignore]
    """A number of requests for each token, by the web process that answers them."""

    rate = "60/min"
    scope = "trigger"

    def get_cache_key(self, request: Request, view: Any) -> str:
        return f"{self.scope}:{request.auth.pk}"


class PollsPerToken(PerToken):
    rate = "240/min"
    scope = "trigger-status"


class AnyJSON(JSONParser):  # type: ignore[misc, unused-ignore]
    """Reads every body as JSON: `curl -d` labels its own as a form."""

    media_type = "*/*"


class TriggerEndpoint(Endpoint):
    """The base of the endpoints. Every failure is a code and a message."""

    authentication_classes = [BearerToken]
    permission_classes = [HasToken]
    parser_classes = [AnyJSON]
    permissions: ClassVar[tuple[str, ...]] = ()

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, triggers.NotNow):
            content = {"code": exc.code, "message": exc.message, "help": help_url(exc.code)}
            return Response(content, status=409)
        response = super().handle_exception(exc)
        if response.status_code in CODES and "code" not in response.data:
            detail = str(exc.detail) if isinstance(exc, APIException) else ""
            code, message = CODES[response.status_code], MESSAGES.get(response.status_code, detail)
            response.data = {"code": code, "message": message, "help": help_url(code)}
        return response


class Trigger(TriggerEndpoint):
    """POST starts a run, or returns the one in progress. `full` and the header Idempotency-Key are optional."""

    throttle_classes = [PerToken]

    @described(answers.TriggerAnswer, status=(200, 202), body=answers.TriggerRequest, failures=FAILURES)
    def post(self, request: Request) -> Response:
        full = wants_full(request.data)
        key = request.headers.get("Idempotency-Key", "").strip()
        triggered = triggers.start(request.auth.activation, full=full, key=key)
        run = triggered.run
        answer = {**brief(run, request), "joined": triggered.joined}
        return Response(answer, status=200 if triggered.repeated else 202)


class TriggeredRun(TriggerEndpoint):
    """GET returns the state and the counts of a run of the token's activation."""

    throttle_classes = [PollsPerToken]

    @described(answers.TriggeredRunAnswer, failures=FAILURES)
    def get(self, request: Request, pk: int) -> Response:
        run = get_object_or_404(Run, pk=pk, activation=request.auth.activation)
        details = {
            "finished": run.state not in Run.OPEN,
            "counts": run.counts(),
            "error": error_json(run),
            "warnings": [warning.message for warning in warnings_of(run)],
            "started_at": run.started_at,
            "finished_at": run.finished_at,
        }
        return Response({**brief(run, request), **details})


def wants_full(data: Mapping[str, Any]) -> bool:
    """Whether the body asks for a full sync. Raises Misconfigured if it has anything else in it."""
    full = data.get("full", False)
    if set(data) - {"full"} or not isinstance(full, bool):
        raise Misconfigured("trigger_body", 'Send no body, or {"full": true} to send every record again.')
    return full


def brief(run: Run, request: Request) -> answers.BriefRun:
    """A run in a few words, with the address at which it can be polled."""
    return {
        "run": run.pk,
        "number": run.number,
        "state": run.state,
        "label": run_words(run),
        "status_url": request.build_absolute_uri(reverse("api:trigger-run", args=[run.pk])),
    }


urlpatterns = [
    path("trigger/", Trigger.as_view(), name="trigger"),
    path("trigger/runs/<int:pk>/", TriggeredRun.as_view(), name="trigger-run"),
]
