"""The API by its own description: schemathesis looks for server errors, and for answers that the description lacks."""

from __future__ import annotations

import json
import subprocess
import sys
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from tests.scan.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.scan.site import Browser

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,unsupported_method,allow_header_conformance"
)
SEVERE = ("Server error", "server_error")
MOST_EXAMPLES = 25
ID = {"type": "integer", "minimum": 1, "maximum": 3}
"""Of objects in addresses. Most of them are in the demo."""
THERE = {
    **dict.fromkeys(("model", "destination", "people", "activation", "other"), ID),
    "records": {"type": "string", "enum": ["model:1", "model:2", "segment:1"]},
    "column": {"type": "string", "enum": ["id", "name", "domain", "country"]},
    "key": {"type": "string", "enum": ["1", "2", "3"]},
    "action": {"type": "string", "enum": ["check", "restore", "leave"]},
}
"""What requests name, so that not all of them are refused. Negative tests violate it."""
SHOWN = 2_000


def check(home: Path, browser: Browser, who: str, seconds: int) -> Iterator[Finding]:
    """Runs schemathesis as this person, with data that fits the description and data that does not.

    Args:
        seconds: the time after which it ends.
    """
    document = json.loads(browser.get("/api/schema/").body)
    path = home / f"schema-{who}.json"
    path.write_text(json.dumps(strict(document)))
    report = home / f"schemathesis-{who}.json"
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = {"Cookie": cookie, "X-CSRFToken": browser.token, "X-Forwarded-Proto": "https"}
    headers["Referer"] = f"{browser.origin}/admin/"
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", str(path), "--url", f"http://127.0.0.1:{browser.port}",
        *(word for name, value in headers.items() for word in ("--header", f"{name}: {value}")),
        "--checks", CHECKS, "--max-examples", str(MOST_EXAMPLES), "--max-time", str(seconds), "--mode", "all",
        "--seed", "1", "--continue-on-failure", "--request-timeout", "60", "--warnings", "off", "--generation-database",
        "none", "--report", "json", "--report-json-path", str(report),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False, timeout=seconds + 240)
    (home / f"schemathesis-{who}.log").write_text(done.stdout + done.stderr)
    counted = json.loads(report.read_text()) if report.exists() else {}
    if counted:
        browser.tried[browser.check] = counted["test_cases"]["generated"]
    if not counted or counted["operations"]["tested"] < counted["operations"]["selected"]:
        yield Finding(Severity.MEDIUM, f"API as {who}", "schemathesis", "not every operation was tested in the time")
    yield from _findings(done, who)


def strict(document: dict[str, Any]) -> dict[str, Any]:
    """PURE. The description for the scan: nothing in an answer is undescribed, and requests name what is there."""
    paths = {path: _operations(operations) for path, operations in document["paths"].items()}
    return {**document, "paths": paths}


def _operations(operations: dict[str, Any]) -> dict[str, Any]:
    found = deepcopy(operations)
    for operation in found.values():
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "path":
                parameter["schema"] = ID
        for body in operation.get("requestBody", {}).get("content", {}).values():
            properties = body["schema"]["properties"]
            properties |= {name: schema for name, schema in THERE.items() if name in properties}
        for answer in operation["responses"].values():
            _close(answer)
    return found


def _close(value: Any) -> None:
    """Lets no object have a property that is not described."""
    if isinstance(value, list):
        for item in value:
            _close(item)
    elif isinstance(value, dict):
        if value.get("type") == "object" and "properties" in value:
            value["additionalProperties"] = False
        for item in value.values():
            _close(item)


def _findings(done: subprocess.CompletedProcess[str], who: str) -> Iterator[Finding]:
    if done.returncode == 0:
        return
    _, _, failures = done.stdout.partition("FAILURES")
    failed = [part for part in failures.split("\n_") if "Test Case ID" in part]
    for part in failed:
        severity = Severity.HIGH if any(word in part for word in SEVERE) else Severity.MEDIUM
        yield Finding(severity, f"API as {who}", part.strip("_ \n")[:120].splitlines()[0], part[:SHOWN])
    if not failed:
        yield Finding(Severity.MEDIUM, f"API as {who}", "schemathesis", (done.stdout + done.stderr)[-SHOWN:])
