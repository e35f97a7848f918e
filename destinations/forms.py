"""Forms for connections and destinations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget

from core.errors import Misconfigured, Problem
from core.web import parameter_form
from destinations import vendor
from destinations.models import Connection, Destination
from destinations.registry import services
from destinations.screens.connect import name_of

if TYPE_CHECKING:
    from destinations.contract import Platform, Workspace


class ConnectionForm(forms.ModelForm):
    """An account on a platform. `connection_form` subclasses it with a field for each of the platform's parameters."""

    platform_plugin: Platform
    workspace: Workspace | None = None
    """The workspace that new settings open."""
    problem: Problem | None = None
    """Why new settings could not be tested."""

    class Meta:
        model = Connection
        fields = ["name"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.pk and "name" in self.fields:
            self.fields["name"].required = False

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        parameters = self.platform_plugin.parameters
        try:
            config, secrets = parameter_form.values(parameters, cleaned, self.instance.config, self.instance.secrets)
        except Misconfigured as problem:
            if parameter_form.PREFIX + problem.where not in self.errors:
                parameter_form.report(self, problem)
            return cleaned
        changed = (config, secrets) != (self.instance.config, self.instance.secrets)
        if self.instance.pk and changed:
            self.instance.forget_health()
        self.instance.platform = self.platform_plugin.slug
        self.instance.config, self.instance.secrets = config, secrets
        if not self.errors and (changed or not self.instance.pk):
            self._test()
        if not cleaned.get("name") and not self.errors:
            cleaned["name"] = name_of(self.platform_plugin, self.workspace.name if self.workspace else "")
        return cleaned

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        parameter_form.ask_again(self, self.platform_plugin.parameters)

    def _test(self) -> None:
        """Refuses settings that the vendor refuses. If it can't answer, they are saved, with a warning."""
        try:
            self.workspace = vendor.probe(self.instance)
        except Misconfigured as problem:
            parameter_form.report(self, problem)
        except Problem as problem:
            self.problem = problem


def connection_form(platform: Platform, connection: Connection | None) -> type[ConnectionForm]:
    """The form for connections to a platform, filled in from `connection` if given."""
    config, secrets = (connection.config, connection.secrets) if connection else ({}, {})
    inputs = parameter_form.fields(platform.parameters, config, secrets)
    return type("PlatformForm", (ConnectionForm,), {**inputs, "platform_plugin": platform})


class DestinationForm(forms.ModelForm):
    """A connection with one of its platform's services."""

    service = forms.ChoiceField(widget=UnfoldAdminSelectWidget(attrs={"data-services": ""}))

    class Meta:
        model = Destination
        fields = ["name", "connection", "service"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            # Activations depend on the service. A different service means a different destination.
            del self.fields["service"]
        else:
            self.fields["service"].choices = [("", "---------"), *_service_choices()]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        connection, slug = cleaned.get("connection"), cleaned.get("service")
        if connection and slug and services[slug].platform.slug != connection.platform:
            self.add_error(
                "service",
                f"{connection} is not a connection to {services[slug].platform.label}. "
                "Choose a service of that connection's platform.",
            )
        return cleaned


def _service_choices() -> list[tuple[str, str]]:
    return [(slug, f"{service.platform.label}: {service.label}") for slug, service in services.all.items()]
