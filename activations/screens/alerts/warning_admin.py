"""The admin pages of warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import Count, F, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from activations import warning_kinds as kinds
from activations.alerts import record
from activations.models import Warning
from core.web.screens import ScreenAdmin, pill

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString

OUTCOMES = {
    kinds.REJECTED: ("rejected", "rejected records"),
    kinds.INVALID: ("invalid", "records that can't be sent"),
}
"""The outcome that the records of a kind of warning have, and what the link to them says."""


class OpenFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Open"), ("acknowledged", "Acknowledged"), ("closed", "Resolved")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Warning]) -> QuerySet[Warning]:
        if self.value() == "closed":
            return queryset.filter(closed_at__isnull=False)
        if self.value() in ("open", "acknowledged"):
            return queryset.filter(closed_at=None, acknowledged_at__isnull=self.value() == "open")
        return queryset


class KindFilter(admin.SimpleListFilter):
    title = "kind"
    parameter_name = "kind__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind.slug, kind.label) for kind in kinds.KINDS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Warning]) -> QuerySet[Warning]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Warning)
class WarningAdmin(ScreenAdmin):
    """Runs open and close warnings, so nothing can be changed here."""

    list_display = ["message", "state_pill", "kind_label", "activation", "run_link", "opened_at", "closed_at"]
    list_before_template = "screens/open_warnings.html"
    list_filter = [OpenFilter, KindFilter, "activation"]
    search_fields = ["message", "subject", "activation__name"]
    has_many_rows = True
    list_select_related = ["activation", "last_run"]
    ordering = [F("closed_at").desc(nulls_first=True), "-opened_at"]
    fields = [
        "state_pill",
        "message",
        "kind_label",
        "subject",
        "activation",
        "run_link",
        "opened_at",
        "closed_at",
        "notified_at",
        "acknowledged_at",
        "acknowledged_by",
    ]
    readonly_fields = fields
    actions = ["acknowledge"]
    empty_title = "No warnings"
    empty_text = (
        "A warning opens if a run exceeds a limit of its activation. It closes automatically once a run is fine again."
    )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"open_kinds": open_kinds(), **(extra_context or {})})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Warning | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Warning | None = None) -> bool:
        return False

    @admin.display(description="State", ordering="closed_at")
    def state_pill(self, obj: Warning) -> SafeString:
        if obj.closed_at:
            return pill("Resolved", "calm")
        return pill("Acknowledged", "busy") if obj.acknowledged_at else pill("Open", "warn")

    def has_acknowledge_permission(self, request: HttpRequest) -> bool:
        """For the action."""
        return request.user.has_perm("activations.change_warning")

    @admin.action(description="Acknowledge", permissions=["acknowledge"])
    def acknowledge(self, request: HttpRequest, queryset: QuerySet[Warning]) -> None:
        """Takes open warnings off the overview. A run that is fine resolves them, as before."""
        number = record.acknowledge(queryset, request.user.get_username(), timezone.now())
        messages.success(request, f"Acknowledged: {number}. They are resolved once a run is fine again.")

    @admin.display(description="Kind", ordering="kind")
    def kind_label(self, obj: Warning) -> str:
        return obj.label

    @admin.display(description="Run")
    def run_link(self, obj: Warning) -> SafeString | str:
        """The last run that the warning is about, with the records that it is about."""
        if obj.last_run is None:
            return "-"
        outcome = OUTCOMES[obj.kind][0] if obj.kind in OUTCOMES else ""
        return format_html(
            '<a class="d-link" href="{}{}">Run {}{}</a>',
            reverse("admin:activations_run_change", args=[obj.last_run_id]),
            f"?outcome={outcome}" if outcome else "",
            obj.last_run.number,
            f": {OUTCOMES[obj.kind][1]}" if outcome else "",
        )


def open_kinds() -> list[tuple[str, str, int]]:
    """The kinds of open warnings, the most frequent first: value, words and number."""
    counted = Warning.objects.filter(closed_at=None).order_by().values_list("kind").annotate(number=Count("pk"))
    return [(kind, kinds.label(kind), number) for kind, number in counted.order_by("-number", "kind")]
