"""Which pages are measured: one address of every kind, those with the most to show among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from activations.models import Activation, Change, Draft, Run, Warning
from destinations.models import Connection, Destination
from segments.models import DataModel, Segment, Source

if TYPE_CHECKING:
    from collections.abc import Mapping

LISTS: Mapping[str, tuple[str, ...]] = {
    "accounts/invitation": ("",),
    "audit/auditentry": ("", "q=nobody"),
    "activations/activation": ("", "p=2", "q=Region+1", "q=nobody", "show=failed", "destination__id__exact=1",
                               "o=-1"),
    "activations/run": ("", "p=2", "q=Region", "q=nobody", "show=failed", "state__exact=failed",
                        "activation__id__exact=1", "trigger__exact=manual", "o=1", "o=4"),
    "activations/change": ("", "p=2", "q=17", "q=nobody", "outcome__exact=unknown", "outcome__exact=rejected",
                           "run__activation__id__exact=1"),
    "activations/warning": ("", "p=2", "q=Region", "q=nobody", "state=open", "kind__exact=rejected_share",
                            "activation__id__exact=1"),
    "activations/alertchannel": ("", "q=nobody"),
    "segments/source": ("", "q=Warehouse", "health__exact=failed"),
    "segments/datamodel": ("", "p=2", "q=team+17", "q=nobody", "source__id__exact=1", "kind__exact=custom"),
    "segments/segment": ("", "p=2", "q=region+17", "q=nobody", "model__id__exact=1", "tag=Sales"),
    "destinations/connection": ("", "q=Our", "platform=attio"),
    "destinations/destination": ("", "q=companies", "connection__id__exact=1"),
    "auth/user": ("",),
    "auth/group": ("",),
    "django_celery_beat/periodictask": ("", "p=2", "q=activation", "enabled__exact=1"),
}  # fmt: skip
"""The lists, with the pages, searches, filters and orders that are linked from them."""
RUN_VIEWS = (
    "", "?page=2", "?page=9000", "?outcome=accepted", "?outcome=rejected", "?outcome=invalid", "?outcome=unknown",
    "?outcome=not_sent", "?outcome=left", "?outcome=earlier", "?q=31", "?q=nobody",
)  # fmt: skip


@dataclass(frozen=True)
class Address:
    """One page to request.

    Args:
        page: its name in the results.
        body: what a script of a page posts, as JSON; None for a page that is opened.
    """

    page: str
    url: str
    body: Mapping[str, Any] | None = None


def addresses() -> list[Address]:
    """The pages of this installation. Those that wait for a source or a vendor are left out."""
    return [*_fixed(), *_lists(), *_objects(), *_run(), *_endpoints()]


def _fixed() -> list[Address]:
    urls = {
        "overview": "/admin/",
        "overview, second page": "/admin/?page=2",
        "search": "/admin/search/?q=17",
        "get started": "/admin/start/",
        "get started, rows": "/admin/start/rows/",
        "documentation": "/admin/docs/",
        "documentation, a page": "/admin/docs/everyday/",
        "change password": "/admin/password_change/",
    }
    return [Address(page, url) for page, url in urls.items()]


def _lists() -> list[Address]:
    return [
        Address(f"list {path.partition('/')[2]}{f' ?{query}' if query else ''}", f"/admin/{path}/?{query}".rstrip("?"))
        for path, queries in LISTS.items()
        for query in queries
    ]


def _objects() -> list[Address]:
    """The page of one object of each kind, those to add one, and those that belong to one."""
    activation, model, segment = _first(Activation), _first(DataModel), _first(Segment)
    source, connection, destination = _first(Source), _first(Connection), _first(Destination)
    draft = Draft.objects.order_by("pk").values_list("pk", flat=True)[0]
    warning = Warning.objects.order_by("pk").values_list("pk", flat=True)[0]
    paths = {
        "activation": f"activations/activation/{activation}/change/",
        "activation, draft": f"activations/activation/{activation}/change/?draft={draft}",
        "activation, editor": f"activations/activation/{activation}/change/?step=mapping",
        "activation, review": f"activations/activation/{activation}/review/",
        "activation, history": f"activations/activation/{activation}/history/",
        "activation, delete": f"activations/activation/{activation}/delete/",
        "add activation": "activations/activation/add/",
        "warning": f"activations/warning/{warning}/change/",
        "source": f"segments/source/{source}/change/",
        "source, tables": f"segments/source/{source}/tables/",
        "add source": "segments/source/add/",
        "model": f"segments/datamodel/{model}/change/",
        "add model": f"segments/datamodel/add/?source={source}",
        "segment": f"segments/segment/{segment}/change/",
        "add segment": f"segments/segment/add/?model={model}",
        "connection": f"destinations/connection/{connection}/change/",
        "add connection": "destinations/connection/add/",
        "destination": f"destinations/destination/{destination}/change/",
        "destination, attributes": f"destinations/destination/{destination}/fields/",
        "add destination": f"destinations/destination/add/?connection={connection}",
        "record": f"activations/change/of/{model}/?key=17",
        "record without changes": f"activations/change/of/{model}/?key=nobody",
    }
    return [Address(page, f"/admin/{path}") for page, path in paths.items()]


def _run() -> list[Address]:
    """The largest run, one that failed, and one change."""
    largest = Run.objects.order_by("-planned", "pk").values_list("pk", flat=True)[0]
    failed = Run.objects.filter(state=Run.State.FAILED).order_by("-planned").values_list("pk", flat=True)[0]
    live = Run.objects.filter(state__in=Run.LIVE).order_by("pk").values_list("pk", flat=True)[0]
    change = Change.objects.filter(run=largest).exclude(exchange_id=None).values_list("pk", flat=True)[0]
    base = "/admin/activations/run"
    return [
        *(Address(f"largest run {view}".strip(), f"{base}/{largest}/change/{view}") for view in RUN_VIEWS),
        Address("largest run, refreshed part", f"{base}/{largest}/progress/"),
        Address("largest run, first rows of a download", f"{base}/{largest}/download/"),
        Address("failed run", f"{base}/{failed}/change/"),
        Address("run in progress", f"{base}/{live}/change/"),
        Address("run in progress, refreshed part", f"{base}/{live}/progress/"),
        Address("a change", f"/admin/activations/change/{change}/change/"),
    ]


def _endpoints() -> list[Address]:
    """What scripts of pages request."""
    activation, model, segment = _first(Activation), _first(DataModel), _first(Segment)
    source, connection, destination = _first(Source), _first(Connection), _first(Destination)
    run = Run.objects.order_by("-planned", "pk").values_list("pk", flat=True)[0]
    paths = (
        "search/?q=17", "search/?q=nobody", "issues/", f"activations/{activation}/", f"runs/{run}/",
        f"sources/{source}/", f"connections/{connection}/", f"connections/{connection}/services/",
        f"destinations/{destination}/", f"destinations/{destination}/fields/", f"models/{model}/builder/",
        f"models/{model}/computed/",
    )  # fmt: skip
    where = Segment.objects.values_list("where", flat=True).get(pk=segment)
    posted = {
        "segments/said/": {"model": model, "where": where},
        "schedules/words/": {"kind": "cron", "cron": "0 7 * * 1-5", "timezone": "Europe/Paris"},
    }
    return [
        *(Address(f"/api/{_without_ids(path)}", f"/api/{path}") for path in paths),
        *(Address(f"/api/{path}", f"/api/{path}", body) for path, body in posted.items()),
    ]


def _first(model: Any) -> int:
    return int(model.objects.order_by("pk").values_list("pk", flat=True)[0])


def _without_ids(path: str) -> str:
    return "/".join("1" if part.isdigit() else part for part in path.split("/"))
