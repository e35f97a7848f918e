"""The cases of the pages, which run in fresh processes."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tests.bench.pages import asking, history
from tests.bench.pages.addresses import addresses
from tests.bench.pages.size import Installation
from tests.bench.setup.meter import Meter

if TYPE_CHECKING:
    from collections.abc import Callable


def fill(**size: int) -> dict[str, Any]:
    """Fills the database with the history of an installation. Takes the arguments of `Installation`."""
    with Meter() as meter:
        history.fill(Installation(**size))
    return meter.result()


def ask(times: int, only: str = "") -> dict[str, Any]:
    """Requests every page `times` times, or those whose names contain `only`."""
    # Prepares the process as a web worker is prepared.
    import_module("dinmo.wsgi")
    with Meter() as meter:
        pages = asking.ask([address for address in addresses() if only in address.page], times)
    return meter.result(pages=pages)


CASES: dict[str, Callable[..., dict[str, Any]]] = {"fill_pages": fill, "ask_pages": ask}
