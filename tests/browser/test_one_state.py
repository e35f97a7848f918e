"""One state everywhere: each thing is broken in turn, and all pages, endpoints and commands are read."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import suppress
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from activations.models import Activation, FieldMapping, Run
from activations.runs import dispatch, requests
from activations.scheduling import periodic_tasks
from destinations.models import Connection, Destination
from dinmo.management import checks
from segments.models import DataModel, Source
from segments.sources.discovery import refresh_columns
from tests.browser.conftest import TOKEN
from tests.browser.pages import goto
from tests.dinmo.test_doctor import record_sweep

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def unquoted(subject: str) -> str:
    return subject.lower().translate(str.maketrans("", "", "“”"))


class Workspace:
    """An activation with a schedule, whose runs are executed in this process, and everything that shows its state."""

    def __init__(self, page: Page, live_server: Any, shop: Path) -> None:
        self.page, self.live_server, self.shop = page, live_server, shop
        source = Source.objects.create(name="Shop", engine="sqlite", config={"path": shop.name})
        model = DataModel.objects.create(name="Companies", source=source, table="companies", primary_key="id")
        refresh_columns(model)
        connection = Connection.objects.create(name="Ours", platform="attio", secrets={"token": TOKEN})
        away = Destination.objects.create(name="Attio", connection=connection, service="attio.companies")
        self.activation = Activation.objects.create(
            name="Away", model=model, destination=away, match_column="domain", match_field="domains"
        )
        FieldMapping(activation=self.activation, column="name", target="name").save()
        periodic_tasks.sync(self.activation.schedules.create(every=15))
        record_sweep(timezone.now())

    def run(self) -> dict[str, Any]:
        """Runs the activation with `activate --wait --json`."""
        out = StringIO()
        with suppress(SystemExit):
            call_command("activate", "Away", "--wait", "--json", stdout=out, stderr=StringIO())
        report: dict[str, Any] = json.loads(out.getvalue())
        return report

    def text(self, path: str) -> str:
        goto(self.page, self.live_server, path)
        return " ".join(self.page.locator("#main, main, body").first.inner_text().split())

    def answer(self, path: str) -> Any:
        return self.page.request.get(f"{self.live_server.url}{path}").json()

    def issues(self) -> set[tuple[str, str]]:
        """What needs attention, from the overview, the API and doctor, which have to agree."""
        record_sweep(timezone.now())
        from_api = {(each["subject"], each["label"]) for each in self.answer("/api/issues/")["issues"]}
        goto(self.page, self.live_server, "/admin/")
        rows = self.page.locator(".d-issues li[data-label]").all()
        on_overview = {(row.inner_text(), row.get_attribute("data-label")) for row in rows}
        assert on_overview == from_api
        now = timezone.now()
        findings = [*checks.connections(now, live=False), *checks.problems(now)]
        reported = {unquoted(finding.subject) for finding in findings if finding.level != "ok"}
        assert reported == {unquoted(subject) for subject, _ in from_api}
        return from_api

    def states(self) -> set[str]:
        """The state of the activation in every place that shows it."""
        pills = []
        for path, row in (
            ("/admin/", ".d-strips li:has-text('Away')"),
            ("/admin/activations/activation/", "#result_list tr:has-text('Away')"),
            (f"/admin/activations/activation/{self.activation.pk}/change/", ".d-panel .d-facts"),
        ):
            goto(self.page, self.live_server, path)
            found = self.page.locator(f"{row} .d-pill").all_inner_texts()
            pills.append(next(text for text in found if text in ("On", "Failing", "Paused by the system", "Paused")))
        return {*pills, self.answer(f"/api/activations/{self.activation.pk}/")["label"]}

    def next_runs(self) -> set[bool]:
        """Whether a next run is announced, in every place that may do so."""
        goto(self.page, self.live_server, "/admin/")
        on_overview = self.page.get_by_role("region", name="Next runs").inner_text()
        goto(self.page, self.live_server, "/admin/activations/activation/")
        listed = self.page.locator("#result_list tr:has-text('Away') .field-next_run_at").inner_text()
        change = self.text(f"/admin/activations/activation/{self.activation.pk}/change/")
        return {
            "Away" in on_overview,
            bool(re.search(r"\d\d", listed)),
            "Next run" in change,
            self.answer(f"/api/activations/{self.activation.pk}/")["next_run"] is not None,
        }

    def run_labels(self, report: dict[str, Any]) -> set[str]:
        """The words for how a run ended, in every place that shows them."""
        texts = [self.answer(f"/api/runs/{report['run']}/")["label"], report["label"]]
        for path, row in (
            ("/admin/", ".d-strips li:has-text('Away')"),
            ("/admin/activations/activation/", "#result_list tr:has-text('Away')"),
            ("/admin/activations/run/", f"#result_list tr:has-text('run {report['number']}')"),
            (f"/admin/activations/run/{report['run']}/change/", "#run-progress .d-facts"),
        ):
            goto(self.page, self.live_server, path)
            found = self.page.locator(f"{row} .d-pill").all_inner_texts()
            texts.append(next((text for text in found if text == report["label"]), f"{path}: {found}"))
        return set(texts)


@pytest.fixture
def workspace(signed_in: Page, live_server: Any, shop: Path, attio: Any, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setattr(dispatch, "enqueue", lambda run_id: None)
    return Workspace(signed_in, live_server, shop)


def rename_column(shop: Path, before: str, after: str) -> None:
    with sqlite3.connect(shop) as database:
        database.execute(f"alter table companies rename column {before} to {after}")
    database.close()


def test_healthy_workspace_says_so_everywhere(workspace: Workspace) -> None:
    with sqlite3.connect(workspace.shop) as database:
        database.execute("delete from companies where domain is null")
    database.close()
    report = workspace.run()
    assert workspace.run_labels(report) == {"Succeeded"}
    assert workspace.issues() == set()
    assert workspace.states() == {"On"}
    assert workspace.next_runs() == {True}


@pytest.mark.parametrize(
    ("vendor", "issues"),
    [
        ("token", {("Connection “Ours”", "Not working")}),
        ("column", {("Model “Companies”", "Source changed")}),
        ("source", {("Source “Shop”", "Not working")}),
    ],
)
def test_what_is_broken_is_broken_everywhere_and_works_everywhere_once_it_is_mended(
    workspace: Workspace, attio: Any, vendor: str, issues: set[tuple[str, str]]
) -> None:
    away = workspace.shop.with_suffix(".away")
    break_it: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "token": (lambda: attio.switches.update(revoked=True), lambda: attio.switches.update(revoked=False)),
        "column": (
            lambda: rename_column(workspace.shop, "name", "title"),
            lambda: rename_column(workspace.shop, "title", "name"),
        ),
        "source": (lambda: workspace.shop.rename(away), lambda: away.rename(workspace.shop)),
    }
    harm, mend = break_it[vendor]
    workspace.run()
    harm()
    report = workspace.run()
    assert report["state"] == "failed"
    assert workspace.run_labels(report) == {"Failed"}
    stopped = {("Activation “Away”", "Paused by the system"), ("Away · run 2", "Failed")}
    assert workspace.issues() == issues | stopped | {("Activation “Away”", "Many records can't be sent")}
    assert workspace.states() == {"Paused by the system"} == {report["activation_state"]["label"]}
    assert workspace.next_runs() == {False}

    mend()
    report = workspace.run()
    assert workspace.run_labels(report) == {"Completed · 1 record can't be sent · 1 warning"}
    assert workspace.issues() == {("Activation “Away”", "Many records can't be sent")}
    assert workspace.states() == {"On"}
    assert workspace.next_runs() == {True}


def test_paused_activation_is_paused_everywhere(workspace: Workspace) -> None:
    workspace.activation.paused = True
    workspace.activation.save()
    assert workspace.states() == {"Paused"}
    assert workspace.next_runs() == {False}


def test_stopped_beat_and_a_run_without_a_worker_need_attention_everywhere(workspace: Workspace, settings: Any) -> None:
    requests.request(workspace.activation, Run.Trigger.MANUAL)
    settings.RUN_SWEEP_SECONDS = -1
    goto(workspace.page, workspace.live_server, "/admin/")
    overview = workspace.page.locator(".d-issues").inner_text()
    found = {(each["kind"], each["label"]) for each in workspace.answer("/api/issues/")["issues"]}
    assert found == {("process", "Not running"), ("run", "Waiting")}
    assert "No worker has started it" in overview
    assert "Beat is not running" in overview
    now = timezone.now()
    assert checks.beat(now, settings.RUN_SWEEP_SECONDS).level == "fail"
    assert any("waiting" in finding.message for finding in checks.problems(now))
