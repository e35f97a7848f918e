"""The page of one record: an answer for each activation, its present values, and every decision about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from activations.models import Change
from activations.screens import plain_values
from activations.screens.attached import timeline
from activations.screens.hidden_values import mask_all
from activations.screens.run.fields import labels
from activations.screens.run.rows import outcome_pill
from activations.screens.timeline import answers, history, loading
from activations.setup.policy_words import kept_because
from core.errors import Problem
from core.web.screens import pill
from destinations.registry import platforms
from segments.models import DataModel
from segments.reading import one_row
from segments.screens.record_values import PERMISSION as VALUES
from segments.screens.record_values import may_see_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from django.contrib.admin import AdminSite
    from django.utils.safestring import SafeString

    from activations.models import Activation

PERMISSION = "activations.view_change"
LIVE = ("segments.view_datamodel", "segments.view_segment", VALUES)
"""Needed to see a row of the source, and the conditions that it does not meet."""


@dataclass(frozen=True)
class Field:
    """A field of a decision: its former value, if one is known and differs, and the new one."""

    name: str
    before: str | None
    after: str
    refused: bool
    kept: str


@dataclass(frozen=True)
class Entry:
    """A decision, as the page lists it."""

    change: Change
    at: datetime
    activation: Activation
    pill: SafeString
    fields: Sequence[Field]
    page: str


@dataclass(frozen=True)
class Shown:
    """An activation with its answer.

    Args:
        url: the record at the vendor; "" if no address is known.
        platform: the slug of the platform.
    """

    activation: Activation
    answer: answers.Answer
    pill: SafeString
    platform: str
    vendor: str
    url: str
    remote_id: str


def record_view(request: HttpRequest, model_id: int, site: AdminSite) -> HttpResponse:
    """The page of the record `?key=`. What the source says now is loaded afterwards, by `live_view`."""
    loaded = _loaded(request, model_id)
    name = loaded.name
    context = {
        **site.each_context(request),
        "title": name or f"{loaded.model} {loaded.key}",
        "loaded": loaded,
        "name": name,
        "entries": _with_attached(loaded, sees=may_see_values(request.user)),
        "most": loading.MOST_CHANGES,
        "answers": _shown(loaded, None),
        "live_url": _live_url(loaded) if request.user.has_perms(LIVE) else "",
    }
    return TemplateResponse(request, "screens/timeline/record.html", context)


def live_view(request: HttpRequest, model_id: int) -> HttpResponse:
    """The answers again, now that the source has been read, and the present values of the record."""
    loaded = _loaded(request, model_id)
    if not request.user.has_perms(LIVE):
        raise PermissionDenied
    row, problem = None, ""
    try:
        row = one_row.look_up(loaded.model, loaded.key, loaded.segments, now=timezone.now())
    except Problem as error:
        problem = error.message
    values = (row.values or {}) if row else {}
    present = [(name, plain_values.in_words(value, answers.LONGEST_VALUE)) for name, value in values.items()]
    context = {"answers": _shown(loaded, row), "present": present, "problem": problem, "missing": row and not present}
    return render(request, "screens/timeline/live.html", context)


def _loaded(request: HttpRequest, model_id: int) -> loading.Loaded:
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    key = request.GET.get("key", "")
    if not key or "\0" in key:
        raise Http404
    model = get_object_or_404(DataModel.objects.select_related("source"), pk=model_id)
    loaded = loading.load(model, key, timezone.now())
    if not may_see_values(request.user):
        mask_all(loaded.changes)
    return loaded


def _live_url(loaded: loading.Loaded) -> str:
    query = urlencode({"key": loaded.key})
    return f"{reverse('admin:record_timeline_live', args=[loaded.model.pk])}?{query}"


def _shown(loaded: loading.Loaded, row: one_row.Row | None) -> list[Shown]:
    found = []
    for activation in loaded.activations:
        answer = answers.answer(loading.facts(loaded, activation, row), when)
        platform = platforms[activation.destination.connection.platform]
        own = [change for change in loaded.changes if change.run.activation_id == activation.pk]
        url = next((change.web_url for change in own if change.web_url), "")
        remote_id = next((change.remote_id for change in own if change.remote_id), "")
        colored = pill(answer.label, answer.tone)
        found.append(Shown(activation, answer, colored, platform.slug, platform.label, url, remote_id))
    return found


def _entries(loaded: loading.Loaded) -> list[Entry]:
    by_id = {activation.pk: activation for activation in loaded.activations}
    sending = {
        by_id[change.run.activation_id].destination_id: by_id[change.run.activation_id] for change in loaded.changes
    }
    names = {destination: labels(activation) for destination, activation in sending.items()}
    oldest_first = [_decided(change) for change in reversed(loaded.changes)]
    fields = reversed(history.differences(oldest_first))
    return [
        Entry(
            change,
            loading.moment(change),
            by_id[change.run.activation_id],
            outcome_pill(change, is_plan=change.run.dry_run),
            [_field(difference, names[by_id[change.run.activation_id].destination_id]) for difference in shown],
            reverse("admin:activations_change_change", args=[change.pk]),
        )
        for change, shown in zip(loaded.changes, fields, strict=True)
    ]


def _with_attached(loaded: loading.Loaded, *, sees: bool) -> list[Entry | timeline.AttachedEntry]:
    """The decisions, and what runs did to make the record visible, newest first."""
    own = {activation.pk: activation for activation in loaded.activations}
    attached = timeline.entries(own, loaded.key, sees=sees)
    both: list[Entry | timeline.AttachedEntry] = [*_entries(loaded), *attached]
    return sorted(both, key=lambda entry: entry.at, reverse=True)


def _field(found: history.Difference, names: Mapping[str, str]) -> Field:
    before = plain_values.in_words(found.before) if found.has_former else None
    return Field(
        names.get(found.name, found.name), before, plain_values.in_words(found.after), found.refused, found.kept
    )


def _decided(change: Change) -> history.Decided:
    values = change.values if isinstance(change.values, dict) else {}
    # Of rows with the same key, all are stored. They are no attributes.
    has_rows = isinstance(values.get("rows"), list) and change.outcome == Change.Outcome.INVALID
    policies = change.run.policies if change.kept else {}
    return history.Decided(
        change.run.activation_id,
        loading.moment(change),
        change.outcome,
        {} if has_rows else values,
        change.changed,
        change.sent,
        change.field,
        dry_run=change.run.dry_run,
        kept={name: kept_because((policies.get(name, ""),)) for name in change.kept or ()},
    )


def when(time: datetime) -> str:
    """A time in the viewer's zone, e.g. "29 Nov 2026, 14:05"."""
    return str(date_format(timezone.localtime(time), "DATETIME_FORMAT"))
