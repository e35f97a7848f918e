"""Composes a message from alerts: those with the same cause become one item, with a link to the page that helps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Q
from django.urls import reverse

from activations import warning_kinds as kinds
from activations.alerts.message import Item, Link, Message, Place, shortened, title
from activations.models import Activation
from core.text.characters import one_line
from destinations.models import Connection
from segments.models import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from activations.models import Alert

OUTCOMES = {kinds.REJECTED: "rejected", kinds.INVALID: "invalid", kinds.SKIPPED: "skipped"}
"""The outcome that the records of a kind of warning have."""
USERS: dict[str, Callable[[int], Q]] = {
    "source": lambda pk: Q(model__source=pk) | Q(segment__model__source=pk),
    "connection": lambda pk: Q(destination__connection=pk),
}
"""The activations that depend on a cause."""
ATTRIBUTES = (kinds.MISSING_ATTRIBUTE, kinds.READ_ONLY_ATTRIBUTE, kinds.CHANGED_ATTRIBUTE)


def message(alerts: Sequence[Alert], now: datetime, *, digest: bool = False) -> Message:
    """The message about these alerts. Of a change that was resolved meanwhile, it contains only that."""
    resolved = {alert.warning_id for alert in alerts if alert.recovered}
    told = [alert for alert in alerts if alert.recovered or alert.warning_id not in resolved]
    items = tuple(_item(group) for group in _grouped(told))
    return Message(title(items, digest), items, _overview(), _settings(), now, digest=digest)


def test_message(now: datetime) -> Message:
    """The message that a person sends to find out whether a channel works."""
    text = "This is a test. Alerts of this installation arrive here. Nothing is wrong."
    item = Item("test", "test", "Test message", False, text, "", ())
    return Message("Test message", (item,), _overview(), _settings(), now, test=True)


def url(name: str, *args: Any, query: str = "") -> str:
    """The complete address of an admin page."""
    return f"{settings.PUBLIC_URL.rstrip('/')}{reverse(f'admin:{name}', args=args)}{query}"


def _overview() -> Link:
    return Link("See everything that needs attention", url("index"))


def _settings() -> Link:
    return Link("Change who gets alerts", url("activations_alertchannel_changelist"))


def _grouped(alerts: Iterable[Alert]) -> list[list[Alert]]:
    """The alerts by what they have in common, those that are not resolved first."""
    groups: dict[tuple[Any, ...], list[Alert]] = {}
    for alert in sorted(alerts, key=lambda alert: (alert.recovered, alert.pk)):
        facts = alert.facts
        # Each resolution names a run of its own, so the sentence does not tell resolved ones apart.
        same = facts["cause"] or ("" if alert.recovered else facts["message"])
        groups.setdefault((alert.recovered, facts["kind"], same), []).append(alert)
    return list(groups.values())


def _item(alerts: Sequence[Alert]) -> Item:
    first = alerts[0]
    kind = first.facts["kind"]
    text = _resolution(alerts) if first.recovered else _text(first, len(alerts))
    advice = kinds.BY_SLUG[kind].advice if kind in kinds.BY_SLUG and not first.recovered else ""
    places = tuple(_place(alert) for alert in alerts)
    return Item(first.event, kind, kinds.label(kind), first.recovered, shortened(one_line(text)), advice, places)


def _text(alert: Alert, listed: int) -> str:
    """What happened. If more activations than those listed depend on the cause, how many do: no message follows."""
    kind, _, pk = alert.facts["cause"].partition(":")
    words = str(alert.facts["message"])
    if not kind:
        return words
    named = _cause(kind, int(pk))
    words = f"{named} {words}" if named and named not in words else words
    users = Activation.objects.filter(USERS[kind](int(pk)), is_draft=False).count() if kind in USERS else 0
    return f"{words} {users} activations use this {kind}." if users > listed else words


def _cause(kind: str, pk: int) -> str:
    model: Any = {"source": Source, "connection": Connection}.get(kind)
    name = model._default_manager.filter(pk=pk).values_list("name", flat=True).first() if model else None
    return f"The {kind} “{name}” is not working." if name else ""


def _resolution(alerts: Sequence[Alert]) -> str:
    if resolution := alerts[0].facts["resolution"]:
        return str(resolution)
    if len(alerts) > 1:
        return "All of these are resolved." if alerts[0].event == "warning" else "Their runs complete again."
    number = alerts[0].facts["run"]
    if not number:
        return "It is resolved."
    return f"Run {number} completed." if alerts[0].event != "warning" else f"No longer the case in run {number}."


def _place(alert: Alert) -> Place:
    return Place(alert.pk, one_line(alert.facts["activation"]), _link(alert), alert.facts)


def _link(alert: Alert) -> Link:
    facts, kind = alert.facts, alert.facts["kind"]
    cause, _, pk = facts["cause"].partition(":")
    activation = facts["activation_id"]
    if cause and not alert.recovered:
        app = "segments" if cause == "source" else "destinations"
        return Link(f"Open the {cause}", url(f"{app}_{cause}_change", int(pk)))
    if (model := facts.get("changed_model_id")) and not alert.recovered:
        return Link("Open the model", url("segments_datamodel_change", model))
    if kind in ATTRIBUTES and not alert.recovered:
        row = f"?step=mapping&field={facts['subject']}"
        return Link("Open the mapping", url("activations_activation_change", activation, query=row))
    if facts["run_id"] and kind not in (kinds.STALE, kinds.MISSED, kinds.PAUSED):
        query = f"?outcome={OUTCOMES[kind]}" if kind in OUTCOMES else ""
        return Link(f"Open run {facts['run']}", url("activations_run_change", facts["run_id"], query=query))
    return Link("Open the activation", url("activations_activation_change", activation))
