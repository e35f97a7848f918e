"""Admin screens for connections and destinations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from core.errors import Misconfigured, Problem
from core.web import parameter_form
from core.web.deletion import ExplainedDeletion
from core.web.forms.parameter_view import shown
from core.web.screens import Button, ScreenAdmin, readable_secrets
from destinations import discovery, simulators, vendor
from destinations.forms import ConnectionForm, DestinationForm, connection_form
from destinations.models import Connection, Destination
from destinations.registry import platforms, services
from destinations.screens import connect
from destinations.screens.lists import ConnectionList, DestinationList

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet
    from django.utils.safestring import SafeString

    from destinations.contract import Platform


class PlatformFilter(admin.SimpleListFilter):
    title = "platform"
    parameter_name = "platform"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(slug, platform.label) for slug, platform in platforms.all.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Connection]) -> QuerySet[Connection]:
        return queryset.filter(platform=self.value()) if self.value() else queryset


@admin.register(Connection)
class ConnectionAdmin(ExplainedDeletion, ConnectionList, ScreenAdmin):
    deletion_note = "Nothing is deleted at the vendor."
    list_filter = [PlatformFilter, "health"]
    search_fields = ["name", "workspace_name"]
    stay_after_adding = True
    button_permissions = {"destination": "destinations.add_destination"}
    empty_title = "No platform connected yet"
    empty_text = (
        "A connection is an account on a platform, with its access token. Several destinations can share a connection."
    )

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        platform, service = connect.platform_of(request), connect.service_of(request)
        if platform is None:
            shell = {**self.admin_site.each_context(request), "opts": self.opts, "title": "Connect a destination"}
            return connect.choice(request, {**shell, **(extra_context or {})})
        if response := connect.used(request, service):
            return response
        connect.fill_in_simulator(request, platform)
        context = {"title": f"Connect {platform.label}", **connect.panel(request, platform), **(extra_context or {})}
        return super().add_view(request, form_url, context)

    def platform_of(self, request: HttpRequest, obj: Connection | None) -> Platform:
        chosen = connect.platform_of(request)
        return platforms[obj.platform if obj else chosen.slug if chosen else ""]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Connection]:
        return super().get_queryset(request).defer("secrets")

    def get_form(
        self, request: HttpRequest, obj: Connection | None = None, change: bool = False, **kwargs: Any
    ) -> type[ConnectionForm]:
        readable_secrets(request, obj)
        platform = self.platform_of(request, obj)
        kwargs["form"] = connection_form(platform, obj)
        kwargs["help_texts"] = {"name": "" if obj else "Leave this empty to name it after the workspace."}
        return super().get_form(request, obj, change, **kwargs)  # type: ignore[return-value, unused-ignore]

    def get_fieldsets(self, request: HttpRequest, obj: Connection | None = None) -> list[Any]:
        platform = self.platform_of(request, obj)
        if obj and not self.has_change_permission(request, obj):
            return [(None, {"fields": ["name", "platform_label", "settings"]})]
        inputs = [parameter_form.PREFIX + parameter.name for parameter in platform.parameters]
        account = (f"{platform.label} account", {"fields": inputs})
        if obj:
            return [(None, {"fields": ["name", "platform_label"]}), account]
        return [account, ("More options", {"fields": ["name"], "classes": ["collapse"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Connection | None = None) -> list[str]:
        return ["platform_label", "settings"] if obj else []

    @admin.display(description="Settings")
    def settings(self, obj: Connection) -> SafeString:
        return shown(platforms[obj.platform].parameters, obj)

    def buttons(self, request: HttpRequest, obj: Connection) -> Iterable[Button]:
        yield Button("test", "Test connection", "network_check", primary=obj.health != obj.State.OK)
        add = f"{reverse('admin:destinations_destination_add')}?connection={obj.pk}"
        yield Button("destination", "Add a destination", "add", primary=obj.health == obj.State.OK, href=add)

    def panel(self, request: HttpRequest, obj: Connection) -> dict[str, Any]:
        details = {"logo_url": _logo(obj), "facts": _workspace_details(obj)}
        return {
            "screen_panel": "screens/connection.html",
            **details,
            "simulator": simulators.running().get(obj.platform),
        }

    def save_model(self, request: HttpRequest, obj: Connection, form: ConnectionForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.workspace:
            vendor.keep_working(obj, form.workspace, timezone.now())
            messages.success(request, f"The connection works. Its workspace is {form.workspace.name}.")
        elif form.problem:
            obj.record_health(timezone.now(), form.problem)
            messages.warning(request, f"Saved, but the connection could not be tested. {form.problem.message}")

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        service = connect.service_of(request)
        if service and "_popup" not in request.POST:
            return connect.connected(request, obj, service)
        response: HttpResponse = super().response_add(request, obj, post_url_continue)
        return response

    def do_test(self, request: HttpRequest, obj: Connection) -> None:
        workspace = vendor.check(obj, timezone.now())
        messages.success(request, f"The connection works. Its workspace is {workspace.name}.")

    @admin.display(description="Platform", ordering="platform")
    def platform_label(self, obj: Connection) -> str:
        return platforms.all[obj.platform].label if obj.platform in platforms.all else obj.platform


def _logo(connection: Connection) -> str:
    try:
        return connection.logo_url
    except Misconfigured:
        return ""


def _workspace_details(connection: Connection) -> list[str]:
    """What the vendor reports about the workspace besides its name, as short labeled texts."""
    details = connection.workspace_facts
    return [f"{label} {details[name]}" for name, label in WORKSPACE_DETAILS.items() if details.get(name)]


WORKSPACE_DETAILS = {"slug": "Address", "region": "Region", "timezone": "Time zone"}


@admin.register(Destination)
class DestinationAdmin(ExplainedDeletion, DestinationList, ScreenAdmin):
    deletion_note = "Nothing is deleted at the vendor."
    form = DestinationForm
    list_filter = ["connection"]
    search_fields = ["name", "connection__name"]
    list_select_related = ["connection"]
    stay_after_adding = True
    button_permissions = {
        "fields": "destinations.view_destination",
        "duplicate": "destinations.add_destination",
        "activation": "activations.add_activation",
    }
    empty_title = "No destinations yet"
    empty_text = (
        "A destination combines a connection with the kind of record to synchronize, such as companies. "
        "Connect a platform first."
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Destination | None = None) -> list[str]:
        return ["connection", "service_label"] if obj else []

    def get_fields(self, request: HttpRequest, obj: Destination | None = None) -> list[str]:
        return ["name", "connection", "service_label" if obj else "service"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Destination]:
        return super().get_queryset(request).defer("connection__secrets")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.fields_view)
        return [path("<path:object_id>/fields/", view, name=self.url_name("fields")), *super().get_urls()]

    def buttons(self, request: HttpRequest, obj: Destination) -> Iterable[Button]:
        yield Button("fields", "Fields at the destination", "list", href=self.url("fields", obj.pk))
        yield Button("refresh", "Refresh fields", "refresh")
        yield Button("duplicate", "Duplicate", "content_copy")
        add = f"{reverse('admin:activations_activation_add')}?destination={obj.pk}"
        yield Button("activation", "Add an activation", "add", primary=True, href=add)

    def panel(self, request: HttpRequest, obj: Destination) -> dict[str, Any]:
        service = services.all.get(obj.service)
        return {"screen_panel": "screens/service.html", "service": service} if service else {}

    def do_refresh(self, request: HttpRequest, obj: Destination) -> HttpResponse:
        changes = discovery.sentences(discovery.refresh(obj, timezone.now()).differences)
        for sentence in changes:
            messages.warning(request, sentence)
        if not changes:
            messages.success(request, "The fields haven't changed.")
        return HttpResponseRedirect(self.url("fields", obj.pk))

    def fields_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The attributes as last discovered, or the reason that they can't be read."""
        obj = self.get_object(request, object_id)
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        if obj is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": obj,
            "title": f"Fields of {obj}",
        }
        try:
            may_store = self.has_change_permission(request, obj)
            discovered = discovery.fields(obj, timezone.now(), store=may_store)
            context.update(fields=discovered.fields, found_at=discovered.found_at, may_refresh=may_store)
        except Problem as problem:
            context["problem"] = problem.message
        return TemplateResponse(request, "screens/fields.html", context)

    @admin.display(description="Records", ordering="service")
    def service_label(self, obj: Destination) -> str:
        return services.all[obj.service].label if obj.service in services.all else obj.service
