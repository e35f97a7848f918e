"""Microsoft Teams: an Adaptive Card, posted to a webhook of the Workflows app."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from activations.alerts.channels import post
from activations.alerts.channels.contract import Channel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from activations.alerts.message import Item, Link, Message, Place


def content(message: Message) -> dict[str, Any]:
    """The body of a message."""
    return {
        "type": "message",
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": None,
                "content": _card(message),
            }
        ],
    }


def _card(message: Message) -> dict[str, Any]:
    body = [_line([_run(message.title, weight="Bolder", size="Large")])]
    for item in message.shown:
        body += _item(item)
    if message.rest:
        body.append(_line([_run(f"And {message.rest} more.")]))
    return {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": message.title,
        "msteams": {"width": "Full"},
        "body": body,
        "actions": [_open(message.link), _open(message.settings)],
    }


def _item(item: Item) -> Iterator[dict[str, Any]]:
    color = "Good" if item.recovered else "Attention"
    yield {**_line([_run(item.heading, weight="Bolder", color=color)]), "separator": True, "spacing": "Medium"}
    yield _line([_run(item.text)])
    if item.advice:
        yield _line([_run(item.advice, isSubtle=True)])
    if item.link:
        yield _line([_linked(item.link)])
    for place in item.shown:
        yield _line([_run(place.activation)]) if item.link else _place(place)
    if item.rest:
        yield _line([_run(f"And {item.rest} more activations.", isSubtle=True)])


def _place(place: Place) -> dict[str, Any]:
    return _line([_run(f"{place.activation} · "), _linked(place.link)])


def _linked(link: Link) -> dict[str, Any]:
    return {**_run(link.text, color="Accent"), "selectAction": {"type": "Action.OpenUrl", "url": link.url}}


def _line(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """A line of runs. Unlike a TextBlock, they contain no markdown, so that a name is shown as it is."""
    return {"type": "RichTextBlock", "inlines": runs}


def _run(text: str, **style: Any) -> dict[str, Any]:
    return {"type": "TextRun", "text": text, **style}


def _open(link: Link) -> dict[str, Any]:
    return {"type": "Action.OpenUrl", "title": link.text, "url": link.url}


class Teams(Channel):
    slug = "teams"
    label = "Microsoft Teams"
    help = "Posts a card to a Teams channel by a webhook of the Workflows app."
    parameters = (
        post.url_parameter(
            "Webhook address",
            "In Teams: Workflows, “Send webhook alerts to a channel”. The address is shown once the workflow is saved.",
        ),
    )

    def validate(self, settings: Mapping[str, Any]) -> None:
        post.check_url(settings)

    def send(self, settings: Mapping[str, Any], message: Message) -> None:
        post.post(settings["url"], json.dumps(content(message)).encode(), {})


CHANNEL = Teams()
