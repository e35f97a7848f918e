"""The admin pages of warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.urls import reverse
from django.utils.html import format_html

from activations.models import Warning
from core.web.screens import ScreenAdmin, pill

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.utils.safestring import SafeString


class OpenFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Open"), ("closed", "Closed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Warning]) -> QuerySet[Warning]:
        return queryset.filter(closed_at__isnull=self.value() == "open") if self.value() else queryset


@admin.register(Warning)
class WarningAdmin(ScreenAdmin):
    """Runs open and close warnings, so nothing can be changed here."""

    list_display = ["message", "state_pill", "kind", "activation", "run_link", "opened_at", "closed_at"]
    list_filter = [OpenFilter, "kind", "activation"]
    search_fields = ["message", "subject", "activation__name"]
    list_select_related = ["activation", "run"]
    ordering = [F("closed_at").desc(nulls_first=True), "-opened_at"]
    fields = [
        "state_pill",
        "message",
        "kind",
        "subject",
        "activation",
        "run_link",
        "opened_at",
        "closed_at",
        "notified_at",
    ]
    readonly_fields = fields
    empty_title = "No warnings"
    empty_text = (
        "A warning opens if a run exceeds a limit of its activation. It closes automatically once a run is fine again."
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Warning | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Warning | None = None) -> bool:
        return False

    @admin.display(description="State", ordering="closed_at")
    def state_pill(self, obj: Warning) -> SafeString:
        return pill("Closed", "calm") if obj.closed_at else pill("Open", "warn")

    @admin.display(description="Run")
    def run_link(self, obj: Warning) -> SafeString:
        return format_html(
            '<a class="d-link" href="{}">Run {}</a>',
            reverse("admin:activations_run_change", args=[obj.run_id]),
            obj.run.number,
        )
