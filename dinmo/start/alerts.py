"""Requests alert recipients once: on the first page of Start, and on the overview until they are set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from activations.alerts import recipients
from activations.alerts.channels import mail
from core.errors import Misconfigured

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

NEEDED = "activations.add_alertchannel"
PLACES = {"start": "start", "overview": "admin:index"}


def question(request: HttpRequest, place: str) -> dict[str, Any] | None:
    """What the page needs to ask; None if somebody gets alerts already.

    Args:
        place: the key of `PLACES` to return to.
    """
    if not recipients.nobody():
        return None
    return {
        "place": place,
        "may_answer": request.user.has_perm(NEEDED),
        "address": getattr(request.user, "email", ""),
        "problem": mail.CHANNEL.problem(),
    }


@require_POST
def answer(request: HttpRequest) -> HttpResponse:
    """Stores who gets alerts."""
    if not request.user.has_perm(NEEDED):
        raise PermissionDenied
    place = PLACES.get(request.POST.get("place", ""), "start")
    try:
        addresses = mail.addresses(request.POST.get("recipients", ""))
    except Misconfigured as problem:
        messages.error(request, problem.message)
        return redirect(place)
    if not addresses:
        messages.error(request, "Enter an email address.")
        return redirect(place)
    channel = recipients.set_workspace_recipients(addresses)
    messages.success(request, f"Alerts go to {', '.join(addresses)}. Send a test message to check that they arrive.")
    return redirect("admin:activations_alertchannel_change", channel.pk)
