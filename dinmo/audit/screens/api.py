"""The read-only endpoint of the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, TypedDict

from django.urls import path
from rest_framework.response import Response

from core.web.api.schema import described
from core.web.endpoints import Endpoint, number
from dinmo.audit.models import AuditEntry

if TYPE_CHECKING:
    from rest_framework.request import Request

PAGE = 100
TEXTS = {"verb": "verb", "object": "object_type", "actor": "actor_kind"}
NUMBERS = {"object_id": "object_id", "actor_id": "actor_id", "run": "run"}
"""Filterable columns, by query parameter."""


class ActorAnswer(TypedDict):
    kind: str
    id: int | None
    name: str
    address: str | None


class ObjectAnswer(TypedDict):
    type: str
    id: int | None
    name: str


class ChangeAnswer(TypedDict):
    field: str
    before: str
    after: str


class EntryAnswer(TypedDict):
    id: int
    at: datetime
    actor: ActorAnswer
    verb: str
    object: ObjectAnswer
    changes: list[ChangeAnswer]
    run: int | None
    request: str


class AuditAnswer(TypedDict):
    entries: list[EntryAnswer]
    next: int | None


QUERY = {
    "before": "The `id` of the last entry of the previous page.",
    "verb": "Such as change.",
    "object": "Such as activations.activation.",
    "object_id": "Its ID.",
    "actor": "person, token, command or system.",
    "actor_id": "Its ID.",
    "run": "The ID of a run.",
}


class AuditLog(Endpoint):
    """GET returns audit log entries, newest first, 100 at a time.

    `?before=` is the `next` of the previous page, which is null on the last one. Filters: `verb`, `object` (such as
    `activations.activation`), `object_id`, `actor` (`person`, `token`, `command`, `system`), `actor_id` and `run`.
    """

    permissions = ("audit.view_auditentry",)

    @described(AuditAnswer, query=QUERY)
    def get(self, request: Request) -> Response:
        query = request.query_params
        wanted: dict[str, Any] = {column: query[name] for name, column in TEXTS.items() if name in query}
        wanted |= {column: number(query[name]) for name, column in NUMBERS.items() if name in query}
        if "before" in query:
            wanted["pk__lt"] = number(query["before"])
        found = list(AuditEntry.objects.filter(**wanted).order_by("-pk")[:PAGE])
        following = found[-1].pk if len(found) == PAGE else None
        return Response({"entries": [entry_json(entry) for entry in found], "next": following})


def entry_json(entry: AuditEntry) -> EntryAnswer:
    """An entry as JSON."""
    return {
        "id": entry.pk,
        "at": entry.at,
        "actor": {"kind": entry.actor_kind, "id": entry.actor_id, "name": entry.actor_label, "address": entry.address},
        "verb": entry.verb,
        "object": {"type": entry.object_type, "id": entry.object_id, "name": entry.object_name},
        "changes": [{"field": name, "before": before, "after": after} for name, before, after in entry.lines()],
        "run": entry.run,
        "request": entry.request,
    }


urlpatterns = [path("audit/", AuditLog.as_view(), name="audit")]
