"""The admin pages of alert channels: their settings, a test message, and what they sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.contrib import admin, messages
from django.db.models import Count, Q
from django.utils import timezone

from activations.alerts import sending
from activations.alerts.channels.registry import channels
from activations.models import Alert, AlertChannel
from activations.screens.alerts.channel_form import ChannelForm, channel_form
from activations.warning_kinds import EVENTS
from core.web import parameter_form
from core.web.screens import HEALTH_TONES, Button, Choice, ScreenAdmin, pill, readable_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString

    from activations.alerts.channels.contract import Channel

SHOWN_ALERTS = 20


@admin.register(AlertChannel)
class AlertChannelAdmin(ScreenAdmin):
    list_display = ["name", "kind_label", "health_pill", "receives", "waiting"]
    search_fields = ["name"]
    stay_after_adding = True
    empty_title = "Nobody gets alerts yet"
    empty_text = (
        "A channel sends a message when a run fails, waits for approval or is paused, and one when that is resolved. "
        "It goes to email addresses, Slack, Microsoft Teams or a program of your own."
    )

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.GET.get("kind") not in channels.all:
            choices = [Choice(slug, channel.label, channel.help) for slug, channel in channels.all.items()]
            return self.choose(request, "Where should alerts go?", "kind", choices)
        title = f"Add a channel: {channels[request.GET['kind']].label}"
        return super().add_view(request, form_url, {"title": title, **(extra_context or {})})

    def get_queryset(self, request: HttpRequest) -> QuerySet[AlertChannel]:
        unsent = Count("alerts", filter=Q(alerts__state=Alert.State.PENDING))
        return super().get_queryset(request).annotate(unsent=unsent)

    def plugin(self, request: HttpRequest, obj: AlertChannel | None) -> Channel:
        return channels[obj.kind if obj else request.GET.get("kind", "")]

    def get_form(
        self, request: HttpRequest, obj: AlertChannel | None = None, change: bool = False, **kwargs: Any
    ) -> type[ChannelForm]:
        readable_secrets(request, obj)
        kwargs["form"] = channel_form(self.plugin(request, obj), obj)
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: AlertChannel | None = None) -> list[Any]:
        plugin = self.plugin(request, obj)
        inputs = [parameter_form.PREFIX + parameter.name for parameter in plugin.parameters]
        return [(None, {"fields": ["name", *inputs, "events", "digest_at", "enabled"]})]

    def buttons(self, request: HttpRequest, obj: AlertChannel) -> Iterable[Button]:
        yield Button("test", "Send a test message", "send", primary=obj.health != obj.State.OK)

    def panel(self, request: HttpRequest, obj: AlertChannel) -> dict[str, Any]:
        alerts = obj.alerts.select_related("activation")
        problem = channels[obj.kind].problem() if obj.kind in channels.all else ""
        return {
            "screen_panel": "screens/alert_channel.html",
            "host": urlsplit(str(obj.secrets.get("url", ""))).hostname or "",
            "kind_problem": problem,
            "alerts": alerts[:SHOWN_ALERTS],
        }

    def do_test(self, request: HttpRequest, obj: AlertChannel) -> None:
        sending.send_test(obj, timezone.now())
        messages.success(request, "The test message was accepted. Check that it arrived.")

    @admin.display(description="Kind", ordering="kind")
    def kind_label(self, obj: AlertChannel) -> str:
        return channels.all[obj.kind].label if obj.kind in channels.all else obj.kind

    @admin.display(description="State", ordering="health")
    def health_pill(self, obj: AlertChannel) -> SafeString:
        if not obj.enabled:
            return pill("Off", "calm")
        return pill(obj.get_health_display(), HEALTH_TONES[obj.health])

    @admin.display(description="Receives")
    def receives(self, obj: AlertChannel) -> str:
        chosen = [words for event, words in EVENTS.items() if event in obj.events]
        words = "Everything" if len(chosen) == len(EVENTS) else "; ".join(chosen)
        return f"{words}, daily at {obj.digest_at:%H:%M} UTC" if obj.digest_at else words

    @admin.display(description="Not sent yet", ordering="unsent")
    def waiting(self, obj: Any) -> int:
        return int(obj.unsent)
