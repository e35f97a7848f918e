"""What people and tests may do to a simulator from outside the vendor's API, all below one path.

GET     /_sandbox            the browser page, where text/html is accepted
GET     state                everything a test compares
GET     requests             the request log; DELETE empties it
POST    faults               adds a fault (see `Fault`); DELETE removes all
POST    switches             changes behaviour, and prepares the workspace
POST    attributes           {"kind", "name", "archived"}
POST    fill                 {"count"}: adds invented records
POST    reset                an empty workspace
GET     records, panel, log  what the page shows
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from destinations.sandbox import page
from destinations.sandbox.base import Sandbox
from destinations.sandbox.wire import Fault, Reply, Request

PATH = "/_sandbox"
Call = Callable[[Sandbox, Request], Any]


def answer(sandbox: Sandbox, request: Request) -> Reply:
    """One request of the control path."""
    name = request.path[len(PATH) :].strip("/")
    if (request.method, name) == ("GET", "") and "text/html" in request.headers.get("accept", ""):
        return Reply(body=page.PAGE)
    if call := _UNLOCKED.get((request.method, name)):
        return _called(call, sandbox, request)
    if call := _LOCKED.get((request.method, name)):
        with sandbox.lock:
            return _called(call, sandbox, request)
    return Reply(404, {"error": f"There is no {request.method} {request.path}."})


def _called(call: Call, sandbox: Sandbox, request: Request) -> Reply:
    try:
        found = call(sandbox, request)
    except (KeyError, TypeError, ValueError) as error:
        return Reply(400, {"error": f"{type(error).__name__}: {error}"})
    return Reply(body={"ok": True} if found is None else found)


def _archive(sandbox: Sandbox, request: Request) -> None:
    wanted = request.json()
    sandbox.archive(wanted["kind"], wanted["name"], bool(wanted["archived"]))


def _reset(sandbox: Sandbox, _request: Request) -> None:
    sandbox.reset()
    sandbox.log.clear()
    sandbox.faults.clear()


_LOCKED: dict[tuple[str, str], Call] = {
    ("GET", "state"): lambda sandbox, _request: sandbox.state(),
    ("GET", "requests"): lambda sandbox, _request: list(sandbox.log),
    ("DELETE", "requests"): lambda sandbox, _request: sandbox.log.clear(),
    ("POST", "faults"): lambda sandbox, request: sandbox.faults.append(Fault(**request.json())),
    ("DELETE", "faults"): lambda sandbox, _request: sandbox.faults.clear(),
    ("POST", "switches"): lambda sandbox, request: sandbox._switch(request.json()),
    ("POST", "attributes"): _archive,
    ("POST", "reset"): _reset,
    ("GET", "panel"): lambda sandbox, _request: page.panel(sandbox),
}
# These take long with many records, and take the lock themselves for as short as they can.
_UNLOCKED: dict[tuple[str, str], Call] = {
    ("GET", "log"): lambda sandbox, request: page.log(sandbox, request.query),
    ("GET", "records"): lambda sandbox, request: page.records(sandbox, request.query),
    ("POST", "fill"): lambda sandbox, request: sandbox.fill(int(request.json()["count"])),
}
