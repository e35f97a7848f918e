"""Admin screens of segments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join

from core.web.screens import Button, ScreenAdmin
from segments.conditions.scope_from_db import source_scopes
from segments.integrity import segments
from segments.integrity.registered_users import uses_of_segment
from segments.models import Segment
from segments.reading import sizes
from segments.screens.builder import in_words
from segments.screens.lists.segment_list import SegmentList
from segments.screens.record_values import may_see_values
from segments.screens.segment_forms import SegmentForm

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.utils.safestring import SafeString

GROUPABLE = ("text", "boolean")


class TagFilter(admin.SimpleListFilter):
    title = "tag"
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        tags = {tag for row in Segment.objects.exclude(tags=[]).values_list("tags", flat=True) for tag in row}
        return [(tag, tag) for tag in sorted(tags)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Segment]) -> QuerySet[Segment]:
        if not self.value():
            return queryset
        # Not every database can search a JSON list.
        return queryset.filter(
            pk__in=[pk for pk, tags in Segment.objects.values_list("pk", "tags") if self.value() in tags]
        )


@admin.register(Segment)
class SegmentAdmin(SegmentList, ScreenAdmin):
    form = SegmentForm
    list_filter = ["model", TagFilter]
    search_fields = ["name", "description", "model__name"]
    stay_after_adding = True
    button_permissions = {"activation": "activations.add_activation", "duplicate": "segments.add_segment"}
    empty_title = "No segments yet"
    empty_text = (
        "A segment is the rows of a model that match your conditions, "
        "for example paying companies in France. No SQL needed."
    )

    class Media:
        js = ["dinmo/analysis.js"]

    def get_fields(self, request: HttpRequest, obj: Segment | None = None) -> list[str]:
        """Users who can only view get the conditions as a sentence."""
        if obj is not None and not self.has_change_permission(request, obj):
            return ["name", "model", "says", "description", "tag_list"]
        return ["name", "model", "where", "limit", "description", "tags"]

    def get_readonly_fields(self, request: HttpRequest, obj: Segment | None = None) -> list[str]:
        return ["model", "says", "tag_list"] if obj else []

    def save_model(self, request: HttpRequest, obj: Segment, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        before = form.initial.get("name", "")
        if change and before != obj.name:
            segments.rename(obj, before)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        to_delete, counts, permissions, protected = super().get_deleted_objects(objs, request)
        deleted = {obj.name for obj in objs}
        users = ((obj, [name for name in segments.users(obj) if name not in deleted]) for obj in objs)
        used = [f"{obj} is used by: {', '.join(names)}" for obj, names in users if names]
        return to_delete, counts, permissions, [*protected, *used]

    def buttons(self, request: HttpRequest, obj: Segment) -> Iterable[Button]:
        yield Button(
            "activation",
            "Activate",
            "sync",
            primary=True,
            href=f"{reverse('admin:activations_activation_add')}?records=segment:{obj.pk}",
        )
        yield Button("duplicate", "Duplicate", "content_copy")

    def panel(self, request: HttpRequest, obj: Segment) -> dict[str, Any]:
        names = segments.users(obj)
        others = [
            (reverse("admin:segments_segment_change", args=[row.pk]), row.name)
            for row in Segment.objects.filter(name__in=names)
        ]
        return {
            "screen_panel": "screens/segment.html",
            "used_here": [(use.url, use.name) for use in uses_of_segment(obj)],
            "segments_here": others,
            "may_see_values": may_see_values(request.user),
            "other_segments": obj.model.segments.exclude(pk=obj.pk),
            "groupable": obj.model.columns.filter(Q(categorical=True) | Q(type__in=GROUPABLE), used=True).order_by(
                "-categorical", "position"
            ),
            **_size_history(obj),
        }

    def do_duplicate(self, request: HttpRequest, obj: Segment) -> HttpResponseRedirect:
        names = set(Segment.objects.values_list("name", flat=True))
        name = next(name for number in range(1, len(names) + 2) if (name := _copy_name(obj.name, number)) not in names)
        copy = Segment.objects.create(
            name=name, model=obj.model, where=obj.where, limit=obj.limit, description=obj.description, tags=obj.tags
        )
        messages.success(request, f"Created the copy “{name}”. You can edit it now.")
        return HttpResponseRedirect(self.url("change", copy.pk))

    @admin.display(description="Conditions")
    def says(self, obj: Segment) -> str:
        return in_words(obj.where, source_scopes(obj.model.source)[obj.model.name], obj.name)

    @admin.display(description="Tags")
    def tag_list(self, obj: Segment) -> SafeString:
        return format_html_join(" ", '<span class="d-pill">{}</span>', ((tag,) for tag in obj.tags))


def _size_history(segment: Segment) -> dict[str, Any]:
    """Returns the template context of the size chart. A line needs the sizes of at least two days."""
    history = sizes.recent(segment, timezone.now())
    if len(history) < 2:
        return {"size_now": history[-1] if history else None}
    largest = max(size.rows for size in history)
    return {
        "size_now": history[-1],
        "size_first": history[0],
        "size_largest": largest,
        "size_line": sizes.svg_points(history),
    }


def _copy_name(name: str, number: int) -> str:
    ending = " (copy)" if number == 1 else f" (copy {number})"
    return name[: 200 - len(ending)] + ending
