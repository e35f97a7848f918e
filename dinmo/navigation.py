"""The sidebar: data, destinations, activations and operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import reverse_lazy

from activations.models import Activation, Change, Run, Warning
from destinations.models import Connection, Destination
from segments.models import DataModel, Segment, Source

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups of the sidebar, with the number of open warnings as a badge."""
    groups = [
        ("", [{"title": "Overview", "icon": "dashboard", "link": reverse_lazy("admin:index")}]),
        (
            "Data",
            [
                _item("Sources", "database", Source),
                _item("Models", "table", DataModel),
                _item("Segments", "filter_alt", Segment),
            ],
        ),
        ("Destinations", [_item("Connections", "cable", Connection), _item("Destinations", "outbox", Destination)]),
        (
            "Activation",
            [
                _item("Activations", "sync", Activation),
                _item("Runs", "history", Run),
                _item("Records", "receipt_long", Change),
                _warnings(request),
            ],
        ),
    ]
    sections = [{"title": title, "separator": bool(title), "items": items} for title, items in groups]
    return [*sections, _operations()]


def _operations() -> dict[str, Any]:
    items = [
        {
            "title": "Users",
            "icon": "person",
            "link": reverse_lazy("admin:auth_user_changelist"),
            "permission": _superuser,
        },
        {
            "title": "Groups",
            "icon": "group",
            "link": reverse_lazy("admin:auth_group_changelist"),
            "permission": _superuser,
        },
        {
            "title": "Periodic tasks",
            "icon": "timer",
            "link": reverse_lazy("admin:django_celery_beat_periodictask_changelist"),
            "permission": _superuser,
        },
    ]
    return {"title": "Operations", "separator": True, "collapsible": True, "items": items}


def _superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


def _item(title: str, icon: str, model: type[Model]) -> dict[str, Any]:
    name = f"{model._meta.app_label}_{model._meta.model_name}"
    permission = f"{model._meta.app_label}.view_{model._meta.model_name}"
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{name}_changelist"),
        "permission": lambda request: request.user.has_perm(permission),
    }


def _warnings(request: HttpRequest) -> dict[str, Any]:
    item = _item("Warnings", "warning", Warning)
    if not item["permission"](request):
        return item
    open_count = Warning.objects.filter(closed_at__isnull=True).count()
    # Unfold shows an empty badge if the key is present without a value.
    return {**item, "badge": str(open_count), "badge_variant": "warning"} if open_count else item
