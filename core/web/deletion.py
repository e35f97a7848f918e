"""Deleting in the admin: what uses an object is shown with links before the click, and what happens is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django.db.models import PROTECT, Count, Window
from django.urls import NoReverseMatch, reverse
from django.utils.text import capfirst

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest, HttpResponse

LISTED = 20
"""How many objects of a kind are listed."""


@dataclass(frozen=True)
class Users:
    """The objects of one kind that use an object, so that it can't be deleted.

    Args:
        links: name and address of the first of them; the address is "" if the person may not see it.
        more: how many are not listed.
    """

    kind: str
    links: list[tuple[str, str]]
    more: int = 0


def users_of(obj: Any, person: Any) -> Iterator[Users]:
    """What prevents deleting a row: all rows that refer to it with PROTECT, kind by kind.

    A row that is part of a different one has that one as its `owner`, which is listed instead.
    """
    for relation in obj._meta.related_objects:
        if relation.on_delete is not PROTECT:
            continue
        model = relation.related_model
        rows = model._default_manager.filter(**{relation.field.name: obj})
        rows = rows.only("pk", "name") if hasattr(model, "name") else rows.select_related()
        # Counted by the same query, so that an object with many users takes no more queries.
        found = list(rows.annotate(number=Window(Count("pk")))[:LISTED])
        if found:
            name = model._meta.verbose_name if len(found) == 1 else model._meta.verbose_name_plural
            owners = [getattr(row, "owner", row) for row in found]
            links = [(str(row), _address(row, person)) for row in owners]
            yield Users(capfirst(str(name)), links, found[0].number - len(found))


def _address(row: Any, person: Any) -> str:
    options = row._meta
    if not person.has_perm(f"{options.app_label}.view_{options.model_name}"):
        return ""
    try:
        return reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[row.pk])
    except NoReverseMatch:
        return ""


class ExplainedDeletion:
    """A mixin for a ScreenAdmin. The page of an object that is in use lists its users instead of a Delete button."""

    delete_confirmation_template = "screens/delete.html"
    deletion_note: ClassVar[str] = ""
    """What deleting does not do, in one sentence."""

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        obj = self.get_object(request, object_id)  # type: ignore[attr-defined]
        users = list(users_of(obj, request.user)) if obj else []
        context = {"users": users, "note": self.deletion_note, **(extra_context or {})}
        return super().delete_view(request, object_id, context)  # type: ignore[misc, no-any-return]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = kwargs.get("obj")
        users = list(users_of(obj, request.user)) if obj is not None else []
        if users:
            context = {**context, "used_by": users, "show_delete": False}
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc, no-any-return]
