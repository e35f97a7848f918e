"""The pages of Start. The forms that connect a source or a vendor are those of the apps, embedded with the steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from activations.models import Activation
from core.errors import Problem
from core.web.endpoints import number
from destinations import simulators
from destinations.models import Connection, Destination
from destinations.registry import services
from destinations.screens import connect as vendors
from dinmo.demo import loading
from dinmo.start import alerts, progress, rows
from segments.models import DataModel, Source
from segments.screens import connect as sources
from segments.screens.record_values import may_see_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dinmo.start.progress import Progress

NEEDED = (
    "segments.add_source",
    "segments.add_datamodel",
    "destinations.add_connection",
    "destinations.add_destination",
    "activations.add_activation",
    # What exists already is offered, with its rows.
    "segments.view_source",
    "segments.view_datamodel",
    "destinations.view_connection",
    "destinations.view_destination",
)
LOAD_DEMO = (*NEEDED, "segments.add_segment", "activations.change_activation")
REMOVE_DEMO = (
    "activations.delete_activation",
    "segments.delete_segment",
    "segments.delete_datamodel",
    "segments.delete_source",
    "destinations.delete_destination",
    "destinations.delete_connection",
)


def home(request: HttpRequest) -> HttpResponse:
    """The first page after signing in: Start until there is an activation, and the overview from then on."""
    begins = not Activation.objects.exists() and request.user.has_perms(NEEDED)
    return redirect("start" if begins else "admin:index")


def index(request: HttpRequest) -> HttpResponse:
    """What do you want to sync? With the steps of a setup that was begun, and the demo beside."""
    _refuse_unless_allowed(request)
    slug = request.GET.get("service", "")
    if slug in services.all:
        progress.choose(request, service=slug)
        return redirect(progress.read(request).next.url)
    begun = progress.read(request)
    cards = [
        {"service": service, "title": vendors.title(service), "url": f"?service={service.slug}"}
        for service in services.all.values()
    ]
    context = {
        "title": "Get started",
        "step_title": "Get started",
        "cards": cards,
        "begun": begun if begun.service else None,
        "connected": begun.source,
        "chosen": vendors.title(begun.service) if begun.service else "",
        "steps": begun.bar() if begun.service else [],
        "simulators": list(simulators.running().values()),
        "demo": loading.state(),
        "question": alerts.question(request, "start"),
    }
    return _page(request, "start/index.html", context)


@require_POST
def again(request: HttpRequest) -> HttpResponse:
    """Starts over with a different choice."""
    progress.forget(request)
    return redirect("start")


def source(request: HttpRequest) -> HttpResponse:
    """Connects a source, or uses one that exists. `?edit=` opens one whose test failed."""
    _refuse_unless_allowed(request)
    begun = progress.read(request)
    if begun.service is None:
        return redirect("start")
    if existing := _posted(request, Source):
        return _with_source(request, existing)
    guide = {**begun.guide("source"), "existing": Source.objects.defer("secrets")[:12]}
    request.guide = sources.Guide(guide, lambda saved: _with_source(request, saved))  # type: ignore[attr-defined]
    screens: Any = admin.site.get_model_admin(Source)
    edited = request.GET.get("edit", "")
    if edited.isdecimal():
        response: HttpResponse = screens.change_view(request, edited, "", sources.context(request))
        return response
    added: HttpResponse = screens.add_view(request)
    return added


def choose_rows(request: HttpRequest) -> HttpResponse:
    """Chooses a table with a preview, a query, or a model that exists."""
    _refuse_unless_allowed(request)
    begun = progress.read(request)
    if begun.service is None or begun.source is None:
        return redirect(begun.next.url or "start")
    if existing := _posted(request, DataModel):
        return _with_model(request, existing)
    if "save" in request.POST:
        saved = rows.save(begun.source, begun.service, request.POST)
        if isinstance(saved, DataModel):
            return _with_model(request, saved)
        messages.error(request, saved)
    return _page(request, "start/rows.html", _rows_context(request, begun, begun.source))


def vendor(request: HttpRequest) -> HttpResponse:
    """Connects the vendor of the chosen service, or uses a connection that exists."""
    _refuse_unless_allowed(request)
    begun = progress.read(request)
    if begun.service is None:
        return redirect("start")
    chosen = QueryDict(mutable=True)
    chosen["service"] = begun.service.slug
    request.GET = chosen  # type: ignore[assignment]

    def connected(destination: Destination) -> HttpResponse:
        progress.choose(request, destination=destination.pk)
        return redirect(progress.read(request).next.url)

    request.guide = vendors.Guide(begun.guide("vendor"), connected)  # type: ignore[attr-defined]
    screens: Any = admin.site.get_model_admin(Connection)
    response: HttpResponse = screens.add_view(request)
    return response


@require_POST
def load_demo(request: HttpRequest) -> HttpResponse:
    """Loads the demo and starts its activations."""
    _refuse_unless_allowed(request, LOAD_DEMO)
    try:
        loading.load()
    except Problem as problem:
        messages.error(request, problem.message)
        return redirect("start")
    messages.success(request, "The demo is loaded, and its two activations are running.")
    return redirect("admin:index")


@require_POST
def remove_demo(request: HttpRequest) -> HttpResponse:
    """Removes what the demo created, apart from what something else uses now."""
    _refuse_unless_allowed(request, REMOVE_DEMO)
    try:
        kept = loading.remove()
    except Problem as problem:
        messages.warning(request, problem.message)
        return redirect("start")
    if kept:
        messages.warning(request, f"Removed, except for what is still in use: {', '.join(kept)}.")
    else:
        messages.success(request, "Everything that the demo created is removed.")
    return redirect("start")


def _rows_context(request: HttpRequest, begun: Progress, chosen: Source) -> dict[str, Any]:
    context: dict[str, Any] = {"title": "Choose the rows", **begun.guide("rows"), "source": chosen}
    accepted = begun.service.accepts if begun.service else ()
    context["existing"] = DataModel.objects.filter(source=chosen, kind__in=accepted)[:12]
    try:
        context["tables"] = listed = rows.tables(chosen)
    except Problem as problem:
        return {**context, "problem": problem.message}
    table = request.POST.get("table") or request.GET.get("table") or (listed[0]["name"] if len(listed) == 1 else "")
    sql = request.POST.get("sql", "").strip()
    context.update(
        may_see_values=may_see_values(request.user), writing="query" in request.GET or bool(sql), sql=sql, table=table
    )
    if sql or (table and not context["writing"]):
        context["preview"] = rows.preview(chosen, "" if sql else table, sql)
    return context


def _with_source(request: HttpRequest, saved: Source) -> HttpResponse:
    progress.choose(request, source=saved.pk)
    if saved.health == saved.State.FAILED:
        return HttpResponseRedirect(f"{reverse('start-source')}?edit={saved.pk}")
    return redirect("start-rows")


def _with_model(request: HttpRequest, model: DataModel) -> HttpResponse:
    progress.choose(request, source=model.source_id, model=model.pk)
    return redirect(progress.read(request).next.url)


def _posted(request: HttpRequest, model: type[Source] | type[DataModel]) -> Any:
    """The existing object whose button was pressed, if any."""
    return model._default_manager.filter(pk=number(request.POST.get("_use"))).first()


def _refuse_unless_allowed(request: HttpRequest, permissions: Sequence[str] = NEEDED) -> None:
    if not request.user.has_perms(permissions):
        raise PermissionDenied


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    return TemplateResponse(request, template, {**admin.site.each_context(request), **context})
