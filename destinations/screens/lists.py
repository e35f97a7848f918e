"""The lists of connections and destinations, and copies of a destination."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from core.text.names import free_name
from core.web.columns import HealthColumns, named, uncounted_users, users
from destinations.models import Connection, Destination

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.utils.safestring import SafeString
    from unfold.admin import ModelAdmin as _ModelAdmin
else:
    # A mixin: the class that it is added to is a ModelAdmin.
    _ModelAdmin = object


class ConnectionList(HealthColumns, _ModelAdmin):
    """The columns of the list of connections."""

    list_display = ["named_column", "workspace_column", "health_column", "checked_column", "destinations_column"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Connection]:
        rows: QuerySet[Connection] = super().get_queryset(request)
        return rows.annotate(destinations_known=Count("destinations"))

    @admin.display(description="Name", ordering="name")
    def named_column(self, obj: Connection) -> SafeString:
        return named(obj.platform, obj)

    @admin.display(description="Workspace", ordering="workspace_name")
    def workspace_column(self, obj: Connection) -> str:
        return obj.workspace_name or "Not known yet"

    @admin.display(description="Destinations", ordering="destinations_known")
    def destinations_column(self, obj: Any) -> SafeString | str:
        return users("destinations_destination", "connection", obj, obj.destinations_known)


class DestinationList(_ModelAdmin):
    """The columns of the list of destinations, and the action that copies one."""

    list_display = ["named_column", "connection", "service_label", "used_by"]

    @admin.display(description="Name", ordering="name")
    def named_column(self, obj: Destination) -> SafeString:
        return named(obj.service, obj)

    @admin.display(description="Activations")
    def used_by(self, obj: Destination) -> SafeString:
        # Activations are on a higher floor, so they can't be counted here.
        return uncounted_users("activations_activation", "destination", obj, "activations")

    def do_duplicate(self, request: HttpRequest, obj: Destination) -> HttpResponse:
        """Copies the destination. Activations are not copied."""
        name = free_name(f"{obj.name} (copy)", lambda taken: Destination.objects.filter(name=taken).exists())
        copy = Destination.objects.create(name=name, connection=obj.connection, service=obj.service)
        messages.success(request, f"Created the copy “{copy}”. You can rename it now.")
        return HttpResponseRedirect(reverse("admin:destinations_destination_change", args=[copy.pk]))
