"""The sidebar: what people look at every day first, then what is set up once, then help and operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Group, User
from django.urls import reverse_lazy
from django_celery_beat.models import PeriodicTask

from activations.models import Activation, AlertChannel, Change, Run, Warning
from destinations.models import Connection, Destination
from dinmo.accounts.models import Invitation
from dinmo.audit.models import AuditEntry
from dinmo.start.views import NEEDED as START_NEEDS
from segments.models import DataModel, Segment, Source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import Model
    from django.http import HttpRequest

    Entry = tuple[str, str, type[Model]]

HOME = {"title": "Overview", "icon": "dashboard", "link": reverse_lazy("admin:index")}
START = {"title": "Get started", "icon": "rocket_launch", "link": reverse_lazy("start")}
HELP = {"title": "Documentation", "icon": "help", "link": reverse_lazy("docs-index")}
SYNC: tuple[Entry, ...] = (
    ("Activations", "sync", Activation),
    ("Runs", "history", Run),
    ("Records", "receipt_long", Change),
    ("Warnings", "warning", Warning),
    ("Alert channels", "notifications", AlertChannel),
)
DATA: tuple[Entry, ...] = (
    ("Sources", "database", Source),
    ("Models", "table", DataModel),
    ("Segments", "filter_alt", Segment),
)
DESTINATIONS: tuple[Entry, ...] = (("Connections", "cable", Connection), ("Destinations", "outbox", Destination))
OPERATIONS: tuple[Entry, ...] = (
    ("Users", "person", User),
    ("Groups", "group", Group),
    ("Invitations", "mail", Invitation),
    ("Periodic tasks", "timer", PeriodicTask),
    ("Audit log", "policy", AuditEntry),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups of the sidebar. What a person may not see is left out, and groups without anything too."""
    may_start = request.user.has_perms(START_NEEDS)
    groups = [
        ("", [HOME, START] if may_start else [HOME]),
        ("Sync", _allowed(request, SYNC)),
        ("Data", _allowed(request, DATA)),
        ("Destinations", _allowed(request, DESTINATIONS)),
        ("Help", [HELP]),
        ("Operations", _allowed(request, OPERATIONS)),
    ]
    return [
        {"title": title, "separator": bool(title), "items": items, "collapsible": title == "Operations"}
        for title, items in groups
        if items
    ]


def _allowed(request: HttpRequest, entries: Iterable[Entry]) -> list[dict[str, Any]]:
    return [_item(title, icon, model) for title, icon, model in entries if request.user.has_perm(_permission(model))]


def _permission(model: type[Model]) -> str:
    return f"{model._meta.app_label}.view_{model._meta.model_name}"


def _item(title: str, icon: str, model: type[Model]) -> dict[str, Any]:
    link = reverse_lazy(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    item = {"title": title, "icon": icon, "link": link}
    open_count = Warning.objects.filter(closed_at=None, acknowledged_at=None).count() if model is Warning else 0
    # Unfold shows an empty badge if the key is present without a value.
    return {**item, "badge": f"{open_count:,}", "badge_variant": "warning"} if open_count else item
