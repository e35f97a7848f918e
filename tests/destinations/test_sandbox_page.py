"""The browser page of a simulator: what it shows, and what people can change on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from destinations import services
from destinations.registry import platforms
from destinations.sandbox.http_server import Server
from destinations.sandbox.registry import sandboxes

if TYPE_CHECKING:
    from destinations.sandbox.base import Sandbox

SLUGS = sorted(platforms.all)
Ask = Callable[..., Any]


@pytest.fixture(params=SLUGS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with Server(sandboxes[request.param]("token")) as running:
        yield running


@pytest.fixture
def sandbox(server: Server) -> Sandbox:
    return server.sandbox


@pytest.fixture
def ask(server: Server) -> Ask:
    def send(method: str, path: str, status: int = 200, body: Any = None, **query: Any) -> Any:
        answer = requests.request(method, f"{server.url}/_sandbox{path}", json=body, params=query, timeout=30)
        assert answer.status_code == status
        return answer.json()

    return send


def test_only_a_browser_receives_the_page(server: Server, ask: Ask) -> None:
    page = requests.get(f"{server.url}/_sandbox", headers={"Accept": "text/html,*/*;q=0.8"}, timeout=5)
    assert page.headers["Content-Type"].startswith("text/html")
    assert "<title>Sandbox</title>" in page.text
    assert not re.search(r"(src|href)=\"http", page.text), "the page must not load anything from other hosts"
    assert "error" in ask("GET", "", 404)


def test_records_are_paginated_newest_first(sandbox: Sandbox, ask: Ask) -> None:
    ask("POST", "/fill", body={"count": 60})
    ids = list(sandbox.collections()["companies"].records)
    shown = [ask("GET", "/records", kind="companies", page=page) for page in range(3)]
    assert [record["id"] for page in shown for record in page["records"]] == ids[::-1]
    assert (shown[0]["found"], shown[0]["count"]) == (60, 60)


def test_second_fill_adds_different_records(ask: Ask) -> None:
    for count in (30, 60):
        ask("POST", "/fill", body={"count": 30})
        assert ask("GET", "/records", kind="companies")["count"] == count


def test_filter_finds_text_in_any_value(ask: Ask) -> None:
    ask("POST", "/fill", body={"count": 60})
    result = ask("GET", "/records", kind="companies", filter="BLUE labs 11")
    assert (result["found"], result["count"]) == (1, 60)
    assert "Blue Labs 11" in str(result["records"])


def test_log_shows_the_newest_requests_and_can_be_filtered(server: Server, ask: Ask) -> None:
    for path in ("/one?a=b", "/two"):
        requests.get(server.url + path, headers={"Authorization": "Bearer token"}, timeout=5)
    log = ask("GET", "/log")
    assert [(entry["method"], entry["path"], entry["status"]) for entry in log["requests"]] == [
        ("GET", "/two", 404),
        ("GET", "/one?a=b", 404),
    ]
    assert all(entry["ms"] >= 0 for entry in log["requests"])
    assert [entry["path"] for entry in ask("GET", "/log", filter="ONE")["requests"]] == ["/one?a=b"]


def test_every_fault_on_the_panel_can_be_added(sandbox: Sandbox, ask: Ask) -> None:
    offered = ask("GET", "/panel")["faults"]
    for entry in offered:
        ask("POST", "/faults", body={**entry["fault"], "times": 2, "path": "/never"})
    waiting = ask("GET", "/panel")["waiting"]
    assert [fault["action"] for fault in waiting] == [entry["fault"]["action"] for entry in offered]
    assert {"cut", "cut_after", "delay", "delay_after", "reply"} <= {fault["action"] for fault in waiting}
    ask("DELETE", "/faults")
    assert ask("GET", "/panel")["waiting"] == []


def test_invalid_request_is_answered_400(ask: Ask) -> None:
    assert "nobody" in ask("GET", "/records", 400, kind="nobody")["error"]
    ask("POST", "/attributes", 400, body={"kind": "companies", "name": "no_such", "archived": True})
    ask("POST", "/faults", 400, body={"no": "such"})


@pytest.mark.parametrize("slug", SLUGS)
def test_every_switch_that_the_code_reads_is_on_the_panel(slug: str) -> None:
    folder = Path(services.__path__[0]) / slug
    code = "\n".join(path.read_text() for path in folder.rglob("*.py"))
    read = set(re.findall(r"switches(?:\.get\(|\[)\"(\w+)\"", code))
    offered = {switch.name for switch in sandboxes[slug]("token").switch_table}
    assert read
    assert read <= offered


@pytest.mark.parametrize("slug", SLUGS)
def test_default_of_a_choice_is_its_first_option(slug: str) -> None:
    for switch in sandboxes[slug]("token").switch_table:
        assert switch.kind != "choice" or switch.default == switch.choices[0], switch.name
