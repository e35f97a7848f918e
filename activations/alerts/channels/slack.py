"""Slack: an incoming webhook. Names are sent as text that Slack does not interpret."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from activations.alerts.channels import post
from activations.alerts.channels.contract import Channel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from activations.alerts.message import Item, Link, Message

LONGEST_HEADER = 150
"""In characters. Slack refuses longer headers."""
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "@\u200b"})
"""Slack's own escapes. The space of no width keeps `@channel` from being a mention in programs that imitate Slack."""


def content(message: Message) -> dict[str, Any]:
    """The body of a message. `text` is what notifications show, and programs that know no blocks."""
    blocks = [_header(message.title), *(_item(item) for item in message.shown)]
    if message.rest:
        blocks.append(_rich([_text(f"And {message.rest} more.")]))
    blocks.append(_rich([_link(message.link), _text(" · "), _link(message.settings)]))
    return {"text": escaped(message.title), "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def escaped(text: str) -> str:
    """Text for places where Slack would take `<!channel>` for a mention."""
    return text.translate(_ESCAPED)


def _header(title: str) -> dict[str, Any]:
    text = title if len(title) <= LONGEST_HEADER else title[: LONGEST_HEADER - 1] + "…"
    return {"type": "header", "text": {"type": "plain_text", "text": text, "emoji": False}}


def _item(item: Item) -> dict[str, Any]:
    """A rich text block: unlike in markdown, nothing in its text is a mention, a link or a format."""
    return _rich([element for line in _lines(item) for element in (*line, _text("\n"))][:-1])


def _lines(item: Item) -> Iterator[list[dict[str, Any]]]:
    yield [_text(item.heading, bold=True)]
    yield [_text(item.text)]
    if item.advice:
        yield [_text(item.advice)]
    if item.link:
        yield [_link(item.link)]
    for place in item.shown:
        yield [_text(place.activation)] if item.link else [_text(f"{place.activation} · "), _link(place.link)]
    if item.rest:
        yield [_text(f"And {item.rest} more activations.")]


def _text(text: str, *, bold: bool = False) -> dict[str, Any]:
    return {"type": "text", "text": text, **({"style": {"bold": True}} if bold else {})}


def _link(link: Link) -> dict[str, Any]:
    return {"type": "link", "url": link.url, "text": link.text}


def _rich(elements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}


class Slack(Channel):
    slug = "slack"
    label = "Slack"
    help = "Posts to a Slack channel by an incoming webhook."
    parameters = (
        post.url_parameter(
            "Webhook address", "From your Slack app, under Incoming Webhooks: https://hooks.slack.com/…"
        ),
    )

    def validate(self, settings: Mapping[str, Any]) -> None:
        post.check_url(settings)

    def send(self, settings: Mapping[str, Any], message: Message) -> None:
        post.post(settings["url"], json.dumps(content(message)).encode(), {})


CHANNEL = Slack()
