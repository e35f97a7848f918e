"""The list of runs: what each did in one sentence, how long it took, and who started it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Q
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import capfirst, smart_split

from activations.models import Activation, Run
from activations.screens import presentation
from activations.screens.run.page import facts
from activations.screens.run.sentence import sentence
from core.text.folding import folded
from core.web.lists import PreparedChangeList
from core.web.logos import logo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.contrib.admin.views.main import ChangeList
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString
    from unfold.admin import ModelAdmin as _ModelAdmin
else:
    # A mixin: the class that it is added to is a ModelAdmin.
    _ModelAdmin = object

STARTED_BY = {
    Run.Trigger.SCHEDULE: "a schedule",
    Run.Trigger.MANUAL: "a person",
    Run.Trigger.API: "the API",
    Run.Trigger.TOKEN: "a trigger token",
    Run.Trigger.CLI: "a command",
    Run.Trigger.CATCH_UP: "an automatic retry",
}
TROUBLED = Q(rejected__gt=0) | Q(invalid__gt=0) | Q(unknown__gt=0) | Q(not_sent__gt=0) | ~Q(found_warnings=[])
SHOWN = {
    "failed": ("Failed", Q(state=Run.State.FAILED)),
    "problems": ("With problems", Q(state=Run.State.COMPLETED_WITH_WARNINGS) & TROUBLED),
    "held": ("Waiting for approval", Q(state=Run.State.HELD)),
    "live": ("Running now", Q(state__in=Run.LIVE)),
    "dry": ("Dry runs", Q(dry_run=True)),
    "real": ("Without dry runs", Q(dry_run=False)),
}


class ShownFilter(admin.SimpleListFilter):
    """The questions that people ask about runs."""

    title = "show"
    parameter_name = "show"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, label) for name, (label, _) in SHOWN.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        chosen = SHOWN.get(self.value() or "")
        return queryset.filter(chosen[1]) if chosen else queryset


class StartedByFilter(admin.SimpleListFilter):
    """Who or what started the run, in the words of its column."""

    title = "started by"
    parameter_name = "trigger__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(trigger), capfirst(words)) for trigger, words in STARTED_BY.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        return queryset.filter(trigger=self.value()) if self.value() in STARTED_BY else queryset


class FoundRuns(PreparedChangeList):
    """A search offers no months to choose from: to find these, the dates of all runs that match would be read."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if self.query:
            self.date_hierarchy = None


class RunList(_ModelAdmin):
    """The columns and filters of the list of runs."""

    list_display = ["name", "state_pill", "what_happened", "started_by", "began", "took"]
    list_filter = [ShownFilter, "state", "activation", StartedByFilter]
    search_fields = ["activation__name", "error_message"]
    show_full_result_count = False
    date_hierarchy = "created_at"
    empty_title = "No runs yet"
    empty_text = "Click “Run now” on an activation, or give it a schedule."

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return FoundRuns

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Run], search_term: str
    ) -> tuple[QuerySet[Run], bool]:
        """Each word has to be in the activation's name or in the error."""
        names = dict(Activation.objects.values_list("pk", "name"))
        for word in smart_split(search_term):
            queryset = queryset.filter(_mentions(word.strip("\"'"), names))
        return queryset, False

    @admin.display(description="Run")
    def name(self, obj: Run) -> SafeString:
        kind = " (test)" if obj.only_key else ""
        drawing = logo(obj.activation.destination.service, 20, "")
        return format_html('<span class="d-run-name">{} <span>{}{}</span></span>', drawing, obj, kind)

    @admin.display(description="State", ordering="state")
    def state_pill(self, obj: Run) -> SafeString:
        return presentation.run_pill(obj)

    @admin.display(description="What happened")
    def what_happened(self, obj: Run) -> SafeString:
        return format_html('<span class="d-run-words">{}</span>', sentence(facts(obj)))

    @admin.display(description="Started by", ordering="trigger")
    def started_by(self, obj: Run) -> str:
        return capfirst(started_by(obj))

    @admin.display(description="Started", ordering="created_at")
    def began(self, obj: Run) -> Any:
        return obj.started_at or obj.created_at

    @admin.display(description="Duration")
    def took(self, obj: Run) -> str:
        return presentation.duration(obj, timezone.now())


def _mentions(word: str, names: Mapping[int, str]) -> Q:
    """The activations are found first, and only runs that ended early have an error: not every run is compared."""
    named = [pk for pk, name in names.items() if folded(word) in folded(name)]
    return Q(activation__in=named) | Q(state__in=(Run.State.FAILED, Run.State.CANCELLED), error_message__icontains=word)


def started_by(run: Run) -> str:
    """Who or what started the run, to follow “started by”."""
    return STARTED_BY[Run.Trigger(run.trigger)]
