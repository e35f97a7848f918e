"""JSON endpoints of destinations: what a service can do, and its fields as last discovered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from rest_framework.response import Response

from core.web.api.schema import described
from core.web.endpoints import Endpoint
from destinations import answers, discovery
from destinations.models import Connection, Destination
from destinations.registry import services

if TYPE_CHECKING:
    from rest_framework.request import Request

    from destinations.contract import Field, Service


class ConnectionState(Endpoint):
    """Whether a connection works, and whose workspace it opens. Sends no request to the vendor."""

    permissions = ("destinations.view_connection",)

    @described(answers.ConnectionAnswer)
    def get(self, request: Request, pk: int) -> Response:
        connection = get_object_or_404(Connection.objects.defer("secrets"), pk=pk)
        opens = {"platform": connection.platform, "workspace": connection.workspace_name}
        return Response({"id": connection.pk, "name": connection.name, **opens, **connection.health_facts()})


class ConnectionServices(Endpoint):
    """The services of a connection's platform."""

    permissions = ("destinations.view_connection",)

    @described(answers.ServicesAnswer)
    def get(self, request: Request, pk: int) -> Response:
        connection = get_object_or_404(Connection, pk=pk)
        offered = [service for service in services.all.values() if service.platform.slug == connection.platform]
        return Response({"services": [service_json(service) for service in offered]})


class DestinationService(Endpoint):
    """What the service of a destination accepts and can do."""

    permissions = ("destinations.view_destination",)

    @described(answers.DestinationAnswer)
    def get(self, request: Request, pk: int) -> Response:
        destination = get_object_or_404(Destination, pk=pk)
        details = service_json(services[destination.service])
        return Response({"id": destination.pk, "name": destination.name, **details})


class DestinationFields(Endpoint):
    """The fields of a destination. GET returns them as last discovered. POST refreshes them and reports changes."""

    permissions = ("destinations.view_destination",)
    change_permissions = ("destinations.change_destination",)

    @described(answers.DiscoveryAnswer)
    def get(self, request: Request, pk: int) -> Response:
        may_store = request.user.has_perm("destinations.change_destination")
        destination = _destination(pk)
        discovered = discovery.fields(destination, timezone.now(), store=may_store)
        return Response(discovery_json(destination, discovered))

    @described(answers.DiscoveryAnswer)
    def post(self, request: Request, pk: int) -> Response:
        destination = _destination(pk)
        return Response(discovery_json(destination, discovery.refresh(destination, timezone.now())))


def _destination(pk: int) -> Destination:
    return get_object_or_404(Destination.objects.select_related("connection"), pk=pk)


def discovery_json(destination: Destination, discovered: discovery.DiscoveredFields) -> answers.DiscoveryAnswer:
    """A discovery as JSON."""
    service = services[destination.service]
    return {
        "fields": [
            {
                **field_json(field),
                "takes_country": service.takes_country(field),
                "links": field.name in service.links,
            }
            for field in discovered.fields
        ],
        "found_at": discovered.found_at,
        "changes": discovery.sentences(discovered.differences),
        "differences": [
            {"kind": str(difference.kind), "name": difference.name, "message": difference.message}
            for difference in discovered.differences
        ],
    }


def service_json(service: Service) -> answers.ServiceAnswer:
    """A service as JSON."""
    return {
        "service": service.slug,
        "label": service.label,
        "platform": service.platform.label,
        "accepts": list(service.accepts),
        "modes": [str(mode) for mode in service.modes],
        "default_mode": str(service.default_mode),
        "default_match": service.default_match,
        "match_advice": service.match_advice,
        "creates_fields": service.creates_fields,
        "notes": list(service.notes),
    }


def field_json(field: Field) -> answers.FieldAnswer:
    """A field as JSON, without `config`, which only conversion needs."""
    return {
        "name": field.name,
        "label": field.label,
        "type": field.type,
        "type_word": field.type_word,
        "writable": field.writable,
        "read_only_reason": field.read_only_reason,
        "required": field.required,
        "unique": field.unique,
        "multiple": field.multiple,
        "matchable": field.matchable,
        "custom": field.custom,
        "enriched": field.enriched,
        "part_of": field.part_of,
        "options": [{"id": option.id, "title": option.title} for option in field.options],
    }


urlpatterns = [
    path("connections/<int:pk>/", ConnectionState.as_view(), name="connection"),
    path("connections/<int:pk>/services/", ConnectionServices.as_view(), name="connection-services"),
    path("destinations/<int:pk>/", DestinationService.as_view(), name="destination"),
    path("destinations/<int:pk>/fields/", DestinationFields.as_view(), name="destination-fields"),
]
