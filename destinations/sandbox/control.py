"""The endpoints by which people and tests control a simulator, outside the vendor's API and all below one path.

GET     /_sandbox            the browser page, if the request accepts text/html
GET     state                everything that tests compare
GET     requests             the request log; DELETE clears it
POST    faults               adds a fault (see `Fault`); DELETE removes all
POST    switches             changes the simulator's behavior, and prepares the workspace
POST    attributes           {"kind", "name", "archived"}
POST    edit                 {"kind", "id", "values", "by"}: changes a record as a person (the default), another
                             integration or the vendor does
POST    fill                 {"count"}: adds sample records
POST    reset                empties the workspace
GET     records, panel, log  the contents of the page
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from destinations.sandbox import page
from destinations.sandbox.base import Sandbox
from destinations.sandbox.wire import ApiError, Editor, Fault, Reply, Request

PATH = "/_sandbox"
Call = Callable[[Sandbox, Request], Any]


def answer(sandbox: Sandbox, request: Request) -> Reply:
    """The response to a request below the control path."""
    name = request.path[len(PATH) :].strip("/")
    if (request.method, name) == ("GET", "") and "text/html" in request.headers.get("accept", ""):
        return Reply(body=page.PAGE)
    if call := _UNLOCKED.get((request.method, name)):
        return _call(call, sandbox, request)
    if call := _LOCKED.get((request.method, name)):
        with sandbox.lock:
            return _call(call, sandbox, request)
    return Reply(404, {"error": f"There is no {request.method} {request.path}."})


def _call(call: Call, sandbox: Sandbox, request: Request) -> Reply:
    try:
        result = call(sandbox, request)
    except (ApiError, KeyError, NotImplementedError, TypeError, ValueError) as error:
        return Reply(400, {"error": f"{type(error).__name__}: {error}"})
    return Reply(body={"ok": True} if result is None else result)


def _archive(sandbox: Sandbox, request: Request) -> None:
    body = request.json()
    sandbox.archive(body["kind"], body["name"], bool(body["archived"]))


def _edit(sandbox: Sandbox, request: Request) -> None:
    body = request.json()
    if (by := body.get("by", "person")) not in get_args(Editor):
        raise ValueError(f"by must be one of {', '.join(get_args(Editor))}.")
    sandbox.edit(body["kind"], body["id"], body["values"], by)


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
    ("POST", "edit"): _edit,
    ("POST", "reset"): _reset,
    ("GET", "panel"): lambda sandbox, _request: page.panel(sandbox),
}
# With many records these take long, so they hold the lock themselves, as briefly as possible.
_UNLOCKED: dict[tuple[str, str], Call] = {
    ("GET", "log"): lambda sandbox, request: page.log(sandbox, request.query),
    ("GET", "records"): lambda sandbox, request: page.records(sandbox, request.query),
    ("POST", "fill"): lambda sandbox, request: sandbox.fill(int(request.json()["count"])),
}
