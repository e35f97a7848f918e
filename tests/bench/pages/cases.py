"""The cases of the pages, which run in fresh processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from activations.models import Activation, Change, Run
from tests.bench.pages import asking, history
from tests.bench.pages.size import Installation
from tests.bench.setup.meter import Meter

if TYPE_CHECKING:
    from collections.abc import Callable


def fill(**size: int) -> dict[str, Any]:
    """Fills the database with the history of an installation. Takes the arguments of `Installation`."""
    with Meter() as meter:
        history.fill(Installation(**size))
    return meter.result()


def ask(times: int) -> dict[str, Any]:
    """Requests every page."""
    with Meter() as meter:
        pages = asking.as_json(asking.Pages(times).ask(heavy()))
    return meter.result(pages=pages)


def heavy() -> list[str]:
    """The pages that have the most to show, which no list would lead to first."""
    largest = Run.objects.order_by("-planned").values_list("pk", flat=True)[0]
    failed = Run.objects.filter(state=Run.State.FAILED).order_by("-planned").values_list("pk", flat=True)[0]
    first = Activation.objects.order_by("pk").values_list("pk", flat=True)[0]
    change = Change.objects.filter(run=largest).exclude(exchange_id=None).values_list("pk", flat=True)[0]
    run = f"/admin/activations/run/{largest}/change/"
    outcomes = [
        f"{run}?outcome={value}" for value in ("accepted", "rejected", "invalid", "unknown", "not_sent", "left")
    ]
    searches = [f"{run}?q=17", f"{run}?q=nobody", f"{run}?page=2", f"{run}?page=9000"]
    return [
        run,
        *outcomes,
        *searches,
        f"{run}?outcome=earlier",
        f"/admin/activations/run/{largest}/progress/",
        f"/admin/activations/run/{failed}/change/",
        f"/admin/activations/activation/{first}/change/",
        f"/admin/activations/change/{change}/change/",
        "/admin/activations/change/?q=17",
        "/admin/activations/change/?q=nobody",
        "/admin/activations/change/?outcome__exact=unknown",
        "/admin/activations/run/?q=Region",
        "/admin/activations/run/?q=nobody",
    ]


CASES: dict[str, Callable[..., dict[str, Any]]] = {"fill_pages": fill, "ask_pages": ask}
