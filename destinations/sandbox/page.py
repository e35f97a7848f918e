"""The contents of a simulator's browser page: records, the request log, switches and faults."""

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
LOG_LIMIT = 50
FAULT_STATUSES = (400, 401, 403, 404, 409, 422, 429, 500, 503)


def records(sandbox: Sandbox, query: Mapping[str, str]) -> dict[str, Any]:
    """One page of records of one kind, newest first; with `filter`, only records that contain the text anywhere.

    Raises:
        KeyError, ValueError: there is no such kind, or the page is not a number.
    """
    collection = sandbox.collections()[query["kind"]]
    start, text = PAGE_LENGTH * max(0, int(query.get("page", 0))), query.get("filter", "").strip().casefold()
    with sandbox.lock:
        count = len(collection.records)
        newest = list(islice(reversed(collection.records.values()), None if text else start + PAGE_LENGTH))  # type: ignore[call-overload]
    matching = [record for record in map(collection.as_dict, newest) if text in _text(record)] if text else newest
    page = matching[start : start + PAGE_LENGTH]
    return {
        "records": page if text else [collection.as_dict(record) for record in page],
        "found": len(matching) if text else count,
        "count": count,
        "page_length": PAGE_LENGTH,
    }


def log(sandbox: Sandbox, query: Mapping[str, str]) -> dict[str, Any]:
    """The last requests, newest first; with `filter`, only those whose method, path or status contains the text."""
    text = query.get("filter", "").strip().casefold()
    with sandbox.lock:
        entries = list(sandbox.log)
    newest = (_line(entry) for entry in reversed(entries))
    matching = (line for line in newest if text in f"{line['method']} {line['path']} {line['status']}".casefold())
    return {"requests": list(islice(matching, LOG_LIMIT)), "count": len(entries)}


def panel(sandbox: Sandbox) -> dict[str, Any]:
    """Counts, attributes, switches with their current values, pending faults, and the faults that can be added."""
    kinds = sandbox.collections()
    return {
        "label": sandbox.label,
        "latency_seconds": sandbox.latency_seconds,
        "kinds": {name: {"count": len(kind.records), "attributes": kind.attributes()} for name, kind in kinds.items()},
        "switches": [
            _switch(switch, sandbox.switches.get(switch.name, switch.default)) for switch in sandbox.switch_table
        ],
        "waiting": [_pending(vars(fault)) for fault in sandbox.faults if fault.times > 0],
        "faults": list(_faults(sandbox)),
    }


def _switch(switch: Switch, value: Any) -> dict[str, Any]:
    return {**vars(switch), "value": value, "changed": (value or None) != (switch.default or None)}


def _faults(sandbox: Sandbox) -> Iterable[dict[str, Any]]:
    yield {"label": "Close the connection before processing the request", "fault": {"action": "cut"}}
    yield {"label": "Close the connection after storing the record", "fault": {"action": "cut_after"}}
    yield {"label": "Time out after storing the record (25 s)", "fault": {"action": "delay_after", "seconds": 25}}
    yield {"label": "Respond slowly (5 s)", "fault": {"action": "delay", "seconds": 5}}
    for status in FAULT_STATUSES:
        reply = sandbox.error_reply(status)
        yield {
            "label": f"Respond with {status} and the vendor's error",
            "fault": {"action": "reply", "status": status, "body": reply.body, "headers": reply.headers},
        }
    yield {"label": "Respond with 503 and Retry-After: 5", "fault": _retry(sandbox, 503)}
    yield {"label": "Respond with 429 and Retry-After: 5", "fault": _retry(sandbox, 429)}
    yield {"label": "Respond with 429 and no headers", "fault": {**_retry(sandbox, 429), "headers": {}}}
    page = "<html><body><h1>502 Bad Gateway</h1></body></html>"
    yield {"label": "Respond with 502 and an HTML page", "fault": {"action": "reply", "status": 502, "body": page}}
    yield {"label": "Respond with 200 and an HTML page", "fault": {"action": "reply", "status": 200, "body": page}}
    yield {"label": "Respond with 200 and an empty body", "fault": {"action": "reply", "status": 200, "body": ""}}


def _retry(sandbox: Sandbox, status: int) -> dict[str, Any]:
    return {
        "action": "reply",
        "status": status,
        "body": sandbox.error_reply(status).body,
        "headers": {"Retry-After": "5"},
    }


def _pending(fault: Mapping[str, Any]) -> dict[str, Any]:
    return {name: fault[name] for name in ("action", "method", "path", "times", "status", "seconds")}


def _line(entry: Mapping[str, Any]) -> dict[str, Any]:
    query = "&".join(f"{name}={value}" for name, value in entry["query"].items())
    path = f"{entry['path']}?{query}" if query else entry["path"]
    return {"at": entry["at"], "method": entry["method"], "path": path, "status": entry["status"], "ms": entry["ms"]}


def _text(record: Mapping[str, Any]) -> str:
    # Several times as fast as JSON, which matters with 50,000 records.
    return repr(record).casefold()
