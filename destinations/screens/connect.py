"""Connecting a vendor in one flow: which records, the token, a live test, and the destination, all named automatically.

A page of a higher floor that leads through more steps sets `request.guide`, and gets the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from core.text.names import free_name
from core.web.endpoints import number
from core.web.parameter_form import PREFIX
from destinations import simulators
from destinations.models import Connection, Destination
from destinations.registry import platforms, services

if TYPE_CHECKING:
    from collections.abc import Callable

    from destinations.contract import Platform, Service

SERVICE, PLATFORM = "service", "platform"
"""The parameters of the page: what to synchronize, or only the vendor."""
SEE = "destinations.view_connection"
SIMULATOR, USE = "_simulator", "_use"
"""Buttons of the page: connect the simulator, and use a connection that exists (its value is the connection's ID)."""


@dataclass(frozen=True)
class Guide:
    """How a page that leads through several steps embeds this one.

    Args:
        context: additional template context, such as the steps.
        connected: stores the destination, and returns the response that opens the next step.
    """

    context: dict[str, Any]
    connected: Callable[[Destination], HttpResponse]


def service_of(request: HttpRequest) -> Service | None:
    """The service that was chosen, if any."""
    return services.all.get(request.GET.get(SERVICE, ""))


def platform_of(request: HttpRequest) -> Platform | None:
    """The platform that was chosen, alone or with one of its services."""
    service = service_of(request)
    return service.platform if service else platforms.all.get(request.GET.get(PLATFORM, ""))


def choice(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """The page with a card for each kind of record that can be synchronized."""
    cards = [
        {"service": service, "title": title(service), "url": f"?{SERVICE}={service.slug}"}
        for service in services.all.values()
    ]
    return TemplateResponse(request, "screens/connect/services.html", {**context, "cards": cards})


def title(service: Service) -> str:
    """What a service does, such as “Companies to Attio”."""
    records = service.record_nouns[1]
    return f"{records[:1].upper()}{records[1:]} to {service.platform.label}"


def panel(request: HttpRequest, platform: Platform) -> dict[str, Any]:
    """Context of the form: where the credential is found, the simulator, and connections that exist already."""
    guide = getattr(request, "guide", None)
    offered = service_of(request) and request.user.has_perm(SEE)
    existing = Connection.objects.filter(platform=platform.slug).defer("secrets") if offered else []
    return {
        "screen_above": "screens/connect/vendor.html",
        "platform": platform,
        "service": service_of(request),
        "simulator": simulators.running().get(platform.slug),
        "existing": existing,
        **(guide.context if guide else {}),
    }


def fill_in_simulator(request: HttpRequest, platform: Platform) -> None:
    """Puts the simulator's token into the form if its button was pressed, so that nobody has to copy it."""
    simulator = simulators.running().get(platform.slug)
    if SIMULATOR in request.POST and simulator:
        posted = request.POST.copy()
        posted[f"{PREFIX}token"] = simulator.token
        request.POST = posted  # type: ignore[assignment]


def used(request: HttpRequest, service: Service | None) -> HttpResponse | None:
    """The response if the button of an existing connection was pressed.

    Raises:
        PermissionDenied: the user may not see connections, or not add destinations.
    """
    chosen = number(request.POST.get(USE))
    if not service or not chosen:
        return None
    if not request.user.has_perm(SEE):
        raise PermissionDenied
    connection = Connection.objects.filter(pk=chosen, platform=service.platform.slug).defer("secrets").first()
    return connected(request, connection, service) if connection else None


def connected(request: HttpRequest, connection: Connection, service: Service) -> HttpResponse:
    """Adds the destination for the service, unless there is one, and opens the next step.

    Raises:
        PermissionDenied: there is none, and the user may not add one.
    """
    destination = Destination.objects.filter(connection=connection, service=service.slug).first()
    if destination is None:
        if not request.user.has_perm("destinations.add_destination"):
            raise PermissionDenied
        name = free_name(f"{service.platform.label} {service.record_nouns[1]}", _is_destination)
        destination = Destination.objects.create(name=name, connection=connection, service=service.slug)
    guide = getattr(request, "guide", None)
    if guide:
        response: HttpResponse = guide.connected(destination)
        return response
    messages.success(request, f"{destination} is ready. Add an activation to choose what is sent.")
    return HttpResponseRedirect(reverse("admin:destinations_destination_change", args=[destination.pk]))


def name_of(platform: Platform, workspace: str) -> str:
    """A free name for a connection, such as “Attio · Acme”."""
    return free_name(f"{platform.label} · {workspace}" if workspace else platform.label, _is_connection)


def _is_connection(name: str) -> bool:
    return Connection.objects.filter(name=name).exists()


def _is_destination(name: str) -> bool:
    return Destination.objects.filter(name=name).exists()
