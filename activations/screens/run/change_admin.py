"""The admin pages of the records that runs sent: the list of all, and the page of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from unfold.paginator import InfinitePaginator

from activations.models import Change
from activations.screens.hidden_values import mask, mask_all, mask_earlier, mask_exchange, mask_held
from activations.screens.plain_values import in_words
from activations.screens.run import exchanges, fields
from activations.screens.run.causes import remedy
from activations.screens.run.rows import outcome_pill, timeline, title
from activations.screens.run.run_admin import ReadOnlyAdmin
from activations.storage import held_values
from core.web.screens import Button
from destinations import discovery
from destinations.registry import services
from segments.screens.record_values import may_see_values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString

MOST_FIELDS = 3
"""In a list. The page of a record shows all of them."""


class ChangeAdmin(ReadOnlyAdmin):
    """The changes of all runs, to find out what happened to a record. `timeline.records_admin` adds the search."""

    list_display = ["record", "outcome_pill", "run_link", "fields_sent", "reason", "when"]
    list_display_links: Any = ["record"]
    list_filter = ["outcome", "is_new", "created", "run__activation"]
    search_fields = ["key__startswith", "name__istartswith", "match_identity__startswith", "remote_id__startswith"]
    search_help_text = "Beginning of a name, key, domain or ID"
    show_full_result_count = False
    paginator = InfinitePaginator
    ordering = ["-pk"]
    empty_title = "No records yet"
    empty_text = "Each run stores what it sent for every record, and how the destination answered."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Change]:
        related = ("run__activation__destination__connection", "run__activation__segment__model")
        return Change.listed.order_by(*self.ordering).select_related(*related, "run__activation__model")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Change | None:
        """The change, without its values for a person who may not see them."""
        change: Change | None = super().get_object(request, object_id, from_field)
        return change if change is None or may_see_values(request.user) else mask(change)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Whoever may not see values can't find them out by filters that no page offers, such as `?name__gte=`."""
        allowed: bool = super().lookup_allowed(lookup, value, request)
        offered = lookup.startswith(tuple(str(name) for name in self.list_filter))
        return allowed and (offered or may_see_values(request.user))

    def prepare_rows(self, request: HttpRequest, rows: list[Any]) -> None:
        """Attaches the labels of attributes, read once for all destinations."""
        found = discovery.cached_labels({row.run.activation.destination for row in rows})
        if not may_see_values(request.user):
            mask_all(rows)
        for row in rows:
            row.names = found.get(row.run.activation.destination_id, {})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of a record in one run: values, request, response, and when it was tried."""
        change = self.get_object(request, object_id)
        if not self.has_view_permission(request, change):
            raise PermissionDenied
        if change is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        context = {
            **self.admin_site.each_context(request),
            **record_context(change, sees=may_see_values(request.user)),
            "opts": self.opts,
            "original": change,
            "title": title(change),
            "screen_buttons": [self._button_context(button, change) for button in self.links(change)],
        }
        return TemplateResponse(request, "screens/run_record.html", context)

    def links(self, change: Change) -> Iterable[Button]:
        """Where to go from a record: to the vendor, to everything that happened to it, and back to the run."""
        activation = change.run.activation
        if change.web_url:
            platform = services[activation.destination.service].platform.label
            yield Button("vendor", f"Open in {platform}", "open_in_new", primary=True, href=change.web_url)
        if address := timeline(activation.data_model.pk, change.key):
            yield Button("timeline", "Timeline", "timeline", href=address)
        run = reverse("admin:activations_run_change", args=[change.run_id])
        yield Button("run", change.run.title, "sync", href=run)

    @admin.display(description="Record", ordering="name")
    def record(self, obj: Change) -> SafeString:
        key = format_html('<div class="d-muted">{}</div>', obj.key) if obj.name else ""
        return format_html("{}{}", title(obj), key)

    @admin.display(description="Outcome", ordering="outcome")
    def outcome_pill(self, obj: Change) -> SafeString:
        return outcome_pill(obj, is_plan=obj.run.dry_run)

    @admin.display(description="Run")
    def run_link(self, obj: Change) -> SafeString:
        return format_html(
            '<a class="d-link" href="{}">{}</a>', reverse("admin:activations_run_change", args=[obj.run_id]), obj.run
        )

    @admin.display(description="Reason")
    def reason(self, obj: Change) -> str:
        return obj.message

    @admin.display(description="When", ordering="settled_at")
    def when(self, obj: Change) -> Any:
        return obj.settled_at

    @admin.display(description="Fields")
    def fields_sent(self, obj: Any) -> SafeString:
        shown = [(field.label, field.after) for field in fields.of(obj, {}, obj.names)][:MOST_FIELDS]
        # One element: on a phone, the cell is a row of what it contains.
        return format_html("<div>{}</div>", format_html_join("", "<div><b>{}</b>: {}</div>", shown))


def record_context(change: Change, *, sees: bool) -> dict[str, Any]:
    """What the page of a record shows.

    Args:
        sees: whether the values are shown. If not, the change has none any longer.
    """
    activation = change.run.activation
    exchange, no_exchange = exchanges.of(change)
    names, earlier = fields.labels(activation), fields.earlier(activation, [change])
    held = held_values.of([change.pk])
    if not sees:
        earlier, held = mask_earlier(earlier), mask_held(held)
        exchange = mask_exchange(exchange) if exchange else None
    accepted = change.outcome == Change.Outcome.ACCEPTED
    return {
        "change": change,
        "record_title": title(change),
        "pill": outcome_pill(change, is_plan=change.run.dry_run),
        "fields": fields.of(change, earlier, names, change.run.policies, held.get(change.pk)),
        "is_first": not fields.may_have_before(change) and change.outcome != Change.Outcome.UPDATES,
        "field_label": names.get(change.field, change.field),
        "match_label": names.get(activation.match_field, activation.match_field),
        "match_value": in_words(change.match_value),
        "remedy": "" if accepted or not change.outcome else remedy(change.outcome, change.code),
        # Only requests without a usable answer, and refusals, are counted as attempts while a run goes on.
        "attempts": change.attempts + accepted,
        "is_foreseen": change.outcome in Change.FORESEEN,
        "exchange": exchange,
        "no_exchange": no_exchange,
        "platform": services[activation.destination.service].platform.label,
    }
