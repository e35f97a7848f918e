"""The history page of an object, which replaces Django's page at the same URL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.exceptions import NotRegistered
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404
from django.template.response import TemplateResponse

from activations.models import Warning
from core.web.endpoints import number
from dinmo.audit.models import AuditEntry
from dinmo.audit.states.describe import key_of

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

PAGE = 25
VIEW = "audit.view_auditentry"


def history(request: HttpRequest, app: str, model: str, object_id: str) -> HttpResponse:
    """The history of an object. Requires permission to see the object; addresses require permission to see the log.

    Users who can see the log can also see the history of a deleted object.
    """
    try:
        screen: Any = admin.site.get_model_admin(apps.get_model(app, model))
    except (LookupError, NotRegistered):
        raise Http404 from None
    obj = screen.get_object(request, object_id)
    sees_log = request.user.has_perm(VIEW)
    if not (screen.has_view_permission(request, obj) if obj else sees_log):
        raise PermissionDenied
    entries = entries_of(*(_owner(obj) or (f"{app}.{model}", number(object_id))))
    latest = entries.first()
    name = str(obj) if obj else f"{latest.object_name} (deleted)" if latest else ""
    if not name:
        raise Http404
    context = {
        **admin.site.each_context(request),
        "opts": screen.opts,
        "original": obj,
        "title": f"History of {name}",
        "page": Paginator(entries, PAGE).get_page(request.GET.get("page")),
        "sees_log": sees_log,
    }
    return TemplateResponse(request, "audit/history.html", context)


def _owner(obj: Any) -> tuple[str, int] | None:
    """The object whose history includes a row: the row itself, or the object that it is a part of."""
    key = key_of(obj.activation if isinstance(obj, Warning) else obj) if obj else None
    return (key[0]._meta.label_lower, key[1]) if key else None


def entries_of(label: str, pk: int) -> QuerySet[AuditEntry]:
    """The entries of an object by the label of its table, or of a run by its ID. Newest first."""
    if label == "activations.run":
        return AuditEntry.objects.filter(run=pk)
    return AuditEntry.objects.filter(object_type=label, object_id=pk)
