"""The form of an alert channel: its settings, the events that it receives, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from activations.models import AlertChannel
from activations.warning_kinds import EVENTS
from core.errors import Misconfigured
from core.web import parameter_form

if TYPE_CHECKING:
    from activations.alerts.channels.contract import Channel


class ChannelForm(forms.ModelForm):
    """A channel of one kind. `channel_form` subclasses it with a field for each of the kind's parameters."""

    plugin: Channel
    events = forms.MultipleChoiceField(
        label="What it receives",
        choices=[(event, words) for event, words in EVENTS.items()],
        widget=forms.CheckboxSelectMultiple,
        help_text="Each is reported once when it happens, and once when it is resolved. Warnings are sent of "
        "activations that have them turned on.",
    )

    class Meta:
        model = AlertChannel
        fields = ["name", "enabled", "events", "digest_at"]
        labels = {"enabled": "Send alerts", "digest_at": "Only once a day, at"}
        help_texts = {
            "enabled": "While this is off, messages wait for at most a day.",
            "digest_at": "In UTC. Leave this empty to send each message as soon as something happens.",
        }
        widgets = {"digest_at": forms.TimeInput(attrs={"type": "time", "class": "d-input"}, format="%H:%M")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.pk and "events" in self.fields:
            self.fields["events"].initial = list(EVENTS)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        stored = self.instance
        try:
            config, secrets = parameter_form.values(self.plugin.parameters, cleaned, stored.config, stored.secrets)
            self.plugin.validate({**config, **secrets})
        except Misconfigured as problem:
            if parameter_form.PREFIX + problem.where not in self.errors:
                parameter_form.report(self, problem)
            return cleaned
        if stored.pk and (config, secrets) != (stored.config, stored.secrets):
            stored.forget_health()
        stored.kind, stored.config, stored.secrets = self.plugin.slug, config, secrets
        return cleaned

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        parameter_form.ask_again(self, self.plugin.parameters)


def channel_form(plugin: Channel, channel: AlertChannel | None) -> type[ChannelForm]:
    """The form for channels of one kind, filled in from `channel` if given."""
    config, secrets = (channel.config, channel.secrets) if channel else ({}, {})
    inputs = parameter_form.fields(plugin.parameters, config, secrets)
    return type("KindForm", (ChannelForm,), {**inputs, "plugin": plugin})
