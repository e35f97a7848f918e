"""What the browser page of a simulator shows: records by the page, the request log, and everything that can be switched."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from destinations.sandbox.base import Sandbox
    from destinations.sandbox.wire import Switch

PAGE = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
PAGE_LENGTH = 25
LOG_SHOWN = 50
FAULTS_SHOWN = (400, 401, 403, 404, 409, 422, 429, 500, 503)


def records(sandbox: Sandbox, query: Mapping[str, str]) -> dict[str, Any]:
    """One page of one kind, the newest first; with `filter` only those that hold the text somewhere.

    Raises:
        KeyError, ValueError: no such kind, or no such page.
    """
    collection = sandbox.collections()[query["kind"]]
    start, wanted = PAGE_LENGTH * max(0, int(query.get("page", 0))), query.get("filter", "").strip().casefold()
    with sandbox.lock:
        count = len(collection.records)
        kept = list(islice(reversed(collection.records.values()), None if wanted else start + PAGE_LENGTH))  # type: ignore[call-overload]
    found = [record for record in map(collection.shown, kept) if wanted in _text(record)] if wanted else kept
    page = found[start : start + PAGE_LENGTH]
    return {
        "records": page if wanted else [collection.shown(record) for record in page],
        "found": len(found) if wanted else count,
        "count": count,
        "page_length": PAGE_LENGTH,
    }


def log(sandbox: Sandbox, query: Mapping[str, str]) -> dict[str, Any]:
    """The last requests, the newest first; with `filter` only those whose method, path or status holds the text."""
    wanted = query.get("filter", "").strip().casefold()
    with sandbox.lock:
        entries = list(sandbox.log)
    newest = (_line(entry) for entry in reversed(entries))
    met = (line for line in newest if wanted in f"{line['method']} {line['path']} {line['status']}".casefold())
    return {"requests": list(islice(met, LOG_SHOWN)), "count": len(entries)}


def panel(sandbox: Sandbox) -> dict[str, Any]:
    """Counts, attributes, switches with their values now, and faults: those that wait and those that can be added."""
    kinds = sandbox.collections()
    return {
        "label": sandbox.label,
        "latency_seconds": sandbox.latency_seconds,
        "kinds": {name: {"count": len(kind.records), "attributes": kind.attributes()} for name, kind in kinds.items()},
        "switches": [
            _switch(switch, sandbox.switches.get(switch.name, switch.default)) for switch in sandbox.switch_table
        ],
        "waiting": [_waiting(vars(fault)) for fault in sandbox.faults if fault.times > 0],
        "faults": list(_faults(sandbox)),
    }


def _switch(switch: Switch, value: Any) -> dict[str, Any]:
    return {**vars(switch), "value": value, "changed": (value or None) != (switch.default or None)}


def _faults(sandbox: Sandbox) -> Iterable[dict[str, Any]]:
    yield {"label": "Cut the connection before the request is processed", "fault": {"action": "cut"}}
    yield {"label": "Cut the connection after the record was stored", "fault": {"action": "cut_after"}}
    yield {"label": "Time-out after the record was stored (25 s)", "fault": {"action": "delay_after", "seconds": 25}}
    yield {"label": "Slow answer (5 s)", "fault": {"action": "delay", "seconds": 5}}
    for status in FAULTS_SHOWN:
        reply = sandbox.refusal(status)
        yield {
            "label": f"Answer {status}, in the vendor's words",
            "fault": {"action": "reply", "status": status, "body": reply.body, "headers": reply.headers},
        }
    yield {"label": "Answer 503 with Retry-After: 5", "fault": _retry(sandbox, 503)}
    yield {"label": "Answer 429 with Retry-After: 5", "fault": _retry(sandbox, 429)}
    yield {"label": "Answer 429 without headers", "fault": {**_retry(sandbox, 429), "headers": {}}}
    page = "<html><body><h1>502 Bad Gateway</h1></body></html>"
    yield {"label": "Answer an HTML page (502)", "fault": {"action": "reply", "status": 502, "body": page}}
    yield {"label": "Answer an HTML page (200)", "fault": {"action": "reply", "status": 200, "body": page}}
    yield {"label": "Answer 200 with an empty body", "fault": {"action": "reply", "status": 200, "body": ""}}


def _retry(sandbox: Sandbox, status: int) -> dict[str, Any]:
    return {"action": "reply", "status": status, "body": sandbox.refusal(status).body, "headers": {"Retry-After": "5"}}


def _waiting(fault: Mapping[str, Any]) -> dict[str, Any]:
    return {name: fault[name] for name in ("action", "method", "path", "times", "status", "seconds")}


def _line(entry: Mapping[str, Any]) -> dict[str, Any]:
    query = "&".join(f"{name}={value}" for name, value in entry["query"].items())
    path = f"{entry['path']}?{query}" if query else entry["path"]
    return {"at": entry["at"], "method": entry["method"], "path": path, "status": entry["status"], "ms": entry["ms"]}


def _text(record: Mapping[str, Any]) -> str:
    # Several times as fast as JSON, which tells with 50,000 records.
    return repr(record).casefold()
