"""The generic webhook: JSON, signed with HMAC-SHA256 over the time and the body, for programs of your own."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

from activations.alerts.channels import post
from activations.alerts.channels.contract import Channel
from core.parameters import Parameter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from activations.alerts.message import Item, Message, Place

VERSION = 1
"""Of the format. It grows if a key is removed or changes its meaning."""
TIMESTAMP, SIGNATURE = "X-DinMo-Timestamp", "X-DinMo-Signature"
MOST_ALERTS = 1_000
"""How many alerts a message lists. `total` counts all."""


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The value of the signature's header: `v1=` and the HMAC-SHA256 of the time, a full stop and the body, in hex.

    Args:
        timestamp: seconds since 1970, as in the header.
    """
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"v1={digest.hexdigest()}"


def content(message: Message) -> dict[str, Any]:
    """The body of a message."""
    alerts = [_alert(item, place) for item in message.items for place in item.places]
    return {
        "version": VERSION,
        "title": message.title,
        "test": message.test,
        "digest": message.digest,
        "sent_at": message.sent_at.isoformat(),
        "url": message.link.url,
        "total": len(alerts),
        "alerts": alerts[:MOST_ALERTS],
    }


def _alert(item: Item, place: Place) -> dict[str, Any]:
    names = ("subject", "run", "opened_at", "resolved_at")
    return {
        "id": place.alert_id,
        "event": item.event,
        "kind": item.kind,
        "label": item.label,
        "state": "resolved" if item.recovered else "open",
        "message": item.text,
        "advice": item.advice,
        "activation": {"id": place.facts.get("activation_id"), "name": place.activation},
        "url": place.link.url,
        **{name: place.facts.get(name) for name in names},
    }


class Webhook(Channel):
    slug = "webhook"
    label = "Webhook"
    help = "Posts JSON to an address of your own, signed with a secret."
    parameters = (
        post.url_parameter("Address", "Messages are posted to it as JSON."),
        Parameter(
            "secret",
            "Signing secret",
            "secret",
            required=False,
            help="Messages are signed with it, so that your program knows who sent them. At least 16 characters.",
        ),
    )

    def validate(self, settings: Mapping[str, Any]) -> None:
        post.check_url(settings)
        if settings.get("secret") and len(settings["secret"]) < 16:
            secret = next(parameter for parameter in self.parameters if parameter.name == "secret")
            raise secret.refuse("at least 16 characters long")

    def send(self, settings: Mapping[str, Any], message: Message) -> None:
        body = json.dumps(content(message), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        timestamp = str(int(message.sent_at.timestamp()))
        headers = {TIMESTAMP: timestamp}
        if settings.get("secret"):
            headers[SIGNATURE] = signature(settings["secret"], timestamp, body)
        post.post(settings["url"], body, headers)


CHANNEL = Webhook()
