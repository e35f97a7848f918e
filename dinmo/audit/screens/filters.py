"""The filters of the audit log: actor, action, type of object and time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.admin import SimpleListFilter
from django.contrib.auth import get_user_model
from django.utils import timezone

from core.audit import Kind, Verb
from dinmo.audit.screens.words import KINDS, OBJECTS

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from dinmo.audit.models import AuditEntry

MOST_USERS = 100
"""The maximum number of users in the filter. Others can be found by search."""
DAYS = {"1": "Past 24 hours", "7": "Past 7 days", "30": "Past 30 days", "365": "Past 365 days"}


class WhoFilter(SimpleListFilter):
    """Filters by kind of actor, or by the ID of a user."""

    title = "who"
    parameter_name = "who"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = get_user_model()._default_manager.order_by("username").values_list("pk", "username")
        return [*KINDS.items(), *((str(pk), name) for pk, name in names[:MOST_USERS])]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        who = self.value()
        if who in KINDS:
            return queryset.filter(actor_kind=who)
        known = dict(self.lookup_choices)
        return queryset.filter(actor_kind=Kind.PERSON, actor_id=int(who)) if who in known else queryset


class VerbFilter(SimpleListFilter):
    """Filters by action."""

    title = "what"
    parameter_name = "verb"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(verb.value, verb.value.capitalize()) for verb in Verb]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return queryset.filter(verb=self.value()) if self.value() else queryset


class ObjectFilter(SimpleListFilter):
    """Filters by type of object."""

    title = "object"
    parameter_name = "object"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(OBJECTS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return queryset.filter(object_type=self.value()) if self.value() else queryset


class TimeFilter(SimpleListFilter):
    """Filters by age."""

    title = "when"
    parameter_name = "days"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(DAYS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        days = self.value()
        return queryset.filter(at__gte=timezone.now() - timedelta(days=int(days))) if days in DAYS else queryset
