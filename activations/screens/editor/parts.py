"""Parts of the activation pages: the inline rows of mappings and schedules, and a filter of the list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unfold.admin import StackedInline, TabularInline

from activations.models import FieldMapping, Schedule
from activations.screens.editor.formsets import MappingForm, MappingFormSet
from activations.screens.editor.schedule_form import FIELDS, ScheduleForm, ScheduleFormSet

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class ActivationPermissions:
    """The permissions of an activation's rows: whoever may view or change the activation may view or change them."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("activations.view_activation") or self.has_change_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("activations.change_activation" if obj else "activations.add_activation")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)


class MappingInline(ActivationPermissions, TabularInline):
    model = FieldMapping
    form = MappingForm
    formset = MappingFormSet
    fields = [
        "origin", "column", "fixed", "template", "target", "when_empty", "multi", "policy", "round_to_whole", "country",
    ]  # fmt: skip
    extra = 0
    hide_title = True
    verbose_name = "field"
    verbose_name_plural = "Fields"

    def get_queryset(self, request: HttpRequest) -> QuerySet[FieldMapping]:
        return super().get_queryset(request).filter(custom_attribute=False)


class ScheduleInline(ActivationPermissions, StackedInline):
    model = Schedule
    fk_name = "activation"
    form = ScheduleForm
    formset = ScheduleFormSet
    fields = FIELDS
    extra = 0
    verbose_name_plural = "Schedules"
