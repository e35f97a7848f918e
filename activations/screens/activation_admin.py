"""The admin pages of activations: the list, the form and the buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from activations import warning_kinds as kinds
from activations.alerts.state import RELATED, state_of
from activations.models import Activation, Record, Run, Schedule
from activations.runs import requests, retention, tokens
from activations.scheduling import periodic_tasks
from activations.screens.attached.notes import attaches, still_hidden
from activations.screens.drift.page import DriftPage
from activations.screens.editor.forms import FIELDS, ActivationForm
from activations.screens.editor.page import EditorPage
from activations.screens.editor.parts import MappingInline, ScheduleInline
from activations.screens.lists.activation_list import ActivationList
from activations.screens.pause_page import PausePage, pause_buttons, pause_context
from activations.screens.presentation import hidden_note, run_pill, state_pill
from activations.screens.review.one_record import TEST
from activations.screens.review.page import dry_run_address
from activations.screens.review.summary import summary
from activations.screens.tokens_page import MANAGE, TokensPage
from activations.setup import attribute_drift, mapping_diff, spec_from_db
from activations.setup.duplicate import duplicate
from core.web.screens import Button
from destinations.registry import services

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet


@admin.register(Activation)
class ActivationAdmin(ActivationList, PausePage, TokensPage, DriftPage, EditorPage):
    form = ActivationForm
    inlines = [MappingInline, ScheduleInline]
    list_select_related = ["segment", "model", "destination"]
    stay_after_adding = True
    button_permissions = {
        **dict.fromkeys(("review", "run", "dry_run", "full", "pause", "resume", "check"), "activations.run_activation"),
        **dict.fromkeys(("watch", "decide", "runs"), "activations.view_run"),
        "drift": "activations.view_activation",
        "duplicate": "activations.add_activation",
    }
    fieldsets = [(None, {"fields": [*FIELDS, "agree"]})]

    class Media:
        js = [
            "dinmo/editor/combobox.js",
            "dinmo/editor/chosen.js",
            "dinmo/editor/steps.js",
            "dinmo/editor/rows.js",
            "dinmo/editor/custom.js",
            "dinmo/editor/attached.js",
            "dinmo/editor/schedules.js",
            "dinmo/editor/samples.js",
            "dinmo/editor/suggestions.js",
            "dinmo/editor/untouched.js",
            "dinmo/editor/drafts.js",
            "dinmo/editor/editor.js",
            "dinmo/editor/review.js",
        ]

    def get_fieldsets(self, request: HttpRequest, obj: Activation | None = None) -> list[Any]:
        if not self.has_change_permission(request, obj) and obj:
            return NOT_SHOWN
        if obj and spec_from_db.accepted_identity(obj):
            return self.fieldsets
        return [(None, {"fields": FIELDS})]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Activation]:
        rows = super().get_queryset(request)
        if request.resolver_match and request.resolver_match.url_name == self.url_name("changelist"):
            return rows
        return rows.select_related(*RELATED).prefetch_related("schedules__task", "mappings")

    def buttons(self, request: HttpRequest, obj: Activation) -> Iterable[Button]:
        if run := requests.open_run(obj):
            page = reverse("admin:activations_run_change", args=[run.pk])
        if run and run.is_live:
            yield Button("watch", "View live run", "visibility", primary=True, href=page)
        elif run:
            yield Button("decide", "Approve or discard", "rule", primary=True, href=page)
            yield DRY_RUN
        else:
            if obj.is_draft:
                yield Button("review", "Review and start", "fact_check", primary=True)
            yield Button("run", "Run now", "play_arrow", primary=not obj.is_draft)
            yield DRY_RUN
            yield Button("full", "Full sync", "restart_alt", confirm=FULL_QUESTION)
        if not obj.is_draft:
            yield Button("drift", "Check for drift", "difference", href=self.url("drift", obj.pk))
        yield Button("edit", "Edit", "edit", href=f"{self.url('change', obj.pk)}?step=mapping")
        yield from pause_buttons(obj)
        yield Button("duplicate", "Duplicate", "content_copy")
        yield Button(
            "runs",
            "Runs",
            "history",
            href=f"{reverse('admin:activations_run_changelist')}?activation__id__exact={obj.pk}",
        )

    def panel(self, request: HttpRequest, obj: Activation) -> dict[str, Any]:
        state = state_of(obj, timezone.now())
        return {
            "screen_panel": "screens/activation_summary.html",
            **summary(obj),
            "last_runs": [(run, run_pill(run)) for run in obj.runs.order_by("-pk")[:5]],
            "open_warnings": obj.warnings.filter(closed_at__isnull=True).exclude(kind__in=SHOWN_AS_STATE),
            "state": state,
            "tokens": tokens.in_use(obj).count() if request.user.has_perm(MANAGE) else None,
            "may_test": request.user.has_perms(TEST),
            **pause_context(obj),
            "state_pill": state_pill(state),
            "mapping_change": mapping_diff.mapping_change(obj),
            "hidden_note": hidden_note(
                services[obj.destination.service], still_hidden(obj), attaches=bool(attaches(obj))
            ),
        }

    def do_review(self, request: HttpRequest, obj: Activation) -> HttpResponse:
        return HttpResponseRedirect(dry_run_address(obj))

    def do_run(self, request: HttpRequest, obj: Activation) -> HttpResponse:
        return self._start(obj)

    def do_dry_run(self, request: HttpRequest, obj: Activation) -> HttpResponse:
        return self._start(obj, dry_run=True, live="option" in request.POST)

    def do_full(self, request: HttpRequest, obj: Activation) -> HttpResponse:
        return self._start(obj, full=True)

    def do_duplicate(self, request: HttpRequest, obj: Activation) -> HttpResponse:
        copy = duplicate(obj)
        messages.success(request, f"Created the copy “{copy}”. It is a draft: change what differs, then start it.")
        return HttpResponseRedirect(self.url("change", copy.pk))

    def _start(self, obj: Activation, *, full: bool = False, dry_run: bool = False, live: bool = False) -> HttpResponse:
        if not dry_run:
            periodic_tasks.start(obj)
        run = requests.request(obj, Run.Trigger.MANUAL, full=full, dry_run=dry_run, live=live)
        return HttpResponseRedirect(reverse("admin:activations_run_change", args=[run.pk]))

    def save_model(self, request: HttpRequest, obj: Activation, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        unchecked = getattr(getattr(obj, "draft", None), "unchecked", "")
        if unchecked:
            messages.warning(
                request, f"Saved, but the attributes could not be validated at the destination. {unchecked}"
            )

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        columns = form.cleaned_data.get("custom_columns", [])
        form.instance.mappings.filter(custom_attribute=True).exclude(column__in=columns).delete()
        super().save_related(request, form, formsets, change)
        form.save_attached()
        self._save_custom(form.instance, columns)
        attribute_drift.confirm(form.instance, getattr(getattr(form.instance, "draft", None), "live_fields", ()))
        periodic_tasks.sync_all(form.instance)

    def _save_custom(self, activation: Activation, columns: list[str]) -> None:
        present = set(activation.mappings.filter(custom_attribute=True).values_list("column", flat=True))
        for position, column in enumerate(columns):
            if column not in present:
                activation.mappings.create(
                    column=column, target=column, custom_attribute=True, position=1000 + position
                )

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        if formset.model is Schedule:
            for deleted in formset.deleted_forms:
                periodic_tasks.remove(deleted.instance)
        super().save_formset(request, form, formset, change)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Counts what would be deleted, which may be millions of records. A live run or a follower prevents it."""
        runs, records = (
            Run.objects.filter(activation__in=objs),
            Record.objects.filter(generation__activation__in=objs),
        )
        live = [
            f"{run} is live. Cancel it first." for run in runs.filter(state__in=Run.LIVE).select_related("activation")
        ]
        followers = Schedule.objects.filter(after__in=objs).exclude(activation__in=objs)
        live += [
            f"{each.activation} runs after {each.after}. Change its schedule first."
            for each in followers.select_related("activation", "after")
        ]
        counts = {"activations": len(objs), "runs": runs.count(), "records in the sync history": records.count()}
        return [str(obj) for obj in objs], counts, set(), live

    def delete_model(self, request: HttpRequest, obj: Activation) -> None:
        for schedule in obj.schedules.all():
            periodic_tasks.remove(schedule)
        retention.delete_activation(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Activation]) -> None:
        activations = list(queryset)
        # One of them may run after another.
        Schedule.objects.filter(activation__in=activations, after__in=activations).delete()
        for activation in activations:
            self.delete_model(request, activation)


SHOWN_AS_STATE = (kinds.RUN_FAILED, kinds.PAUSED, kinds.HELD)
NOT_SHOWN = [(None, {"fields": ["name"]})]
"""For those who can't edit the activation. They see its summary, and no form."""
DRY_RUN = Button("dry_run", "Dry run", "science", option="Compare with the destination")
FULL_QUESTION = "A full sync sends every mapped field of every record again, even if nothing changed. Continue?"
