"""The screens of the audit log: the list with its filters, the download, the history of each object, and the API."""

from __future__ import annotations

import csv
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from activations.models import Activation, Run
from core.audit import Actor, Kind, Verb, acting_as, announce
from dinmo.audit import retention
from dinmo.audit.models import AuditEntry
from dinmo.audit.screens.words import changed, summary
from segments.models import Segment

pytestmark = pytest.mark.django_db
LIST = "/admin/audit/auditentry/"


def viewer(*codenames: str) -> Client:
    """The browser of a user with only these permissions."""
    user = User.objects.create_user(f"viewer-{len(codenames)}", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    browser = Client()
    browser.force_login(user)
    return browser


def shown(staff: Client, query: str) -> list[str]:
    """The names of the objects that the list shows."""
    page = staff.get(f"{LIST}{query}")
    assert page.status_code == 200, page.content.decode()[:500]
    return [entry.object_name for entry in page.context["cl"].result_list]


def test_the_list_is_filtered_by_who_what_object_and_when(staff: Client, activation: Activation) -> None:
    eve = User.objects.create_user("eve")
    AuditEntry.objects.all().delete()
    with acting_as(Actor(Kind.PERSON, "eve", eve.pk)):
        announce(Verb.EXPORTED, activation)
    announce(Verb.PAUSED, Segment.objects.get())
    AuditEntry.objects.filter(verb="paused").update(at=timezone.now() - timedelta(days=5))
    assert shown(staff, "") == ["French", "Away"]
    assert shown(staff, f"?who={eve.pk}") == ["Away"]
    assert shown(staff, "?who=system") == ["French"]
    assert shown(staff, "?verb=exported") == ["Away"]
    assert shown(staff, "?object=segments.segment") == ["French"]
    assert shown(staff, "?days=1") == ["Away"]
    assert shown(staff, "?q=fren") == ["French"]
    assert shown(staff, "?q=eve") == ["Away"]
    assert staff.get(f"{LIST}?actor_label__regex=.").status_code == 400


def test_only_users_with_the_permission_see_the_log(activation: Activation) -> None:
    entry = AuditEntry.objects.first()
    assert entry is not None
    pages = (LIST, f"{LIST}csv/", f"{LIST}{entry.pk}/change/", "/api/audit/")
    refused, allowed = viewer("view_activation"), viewer("view_activation", "view_auditentry")
    for page in pages:
        assert refused.get(page).status_code == 403, page
        assert allowed.get(page).status_code == 200, page
    assert "Audit log" not in refused.get("/admin/activations/activation/").content.decode()
    assert "Audit log" in allowed.get("/admin/activations/activation/").content.decode()


def test_nobody_can_change_the_log_on_the_screens(staff: Client, activation: Activation) -> None:
    entry = AuditEntry.objects.first()
    assert entry is not None
    for page in (f"{LIST}add/", f"{LIST}{entry.pk}/delete/"):
        assert staff.post(page, {"post": "yes"}).status_code == 403
    staff.post(f"{LIST}{entry.pk}/change/", {"actor_label": "nobody"})
    staff.post(LIST, {"action": "delete_selected", "_selected_action": entry.pk, "post": "yes"})
    assert AuditEntry.objects.get(pk=entry.pk).actor_label == "DinMo"


def test_the_number_of_queries_does_not_depend_on_the_number_of_entries(staff: Client, activation: Activation) -> None:
    history = f"/admin/activations/activation/{activation.pk}/history/"
    for page in (LIST, history, "/api/audit/"):
        staff.get(page)
        with CaptureQueriesContext(
            connection,
        ) as few:
            staff.get(page)
        for _ in range(30):
            announce(Verb.PAUSED, activation, {"Paused": ("", "By a user")})
        with CaptureQueriesContext(connection) as many:
            staff.get(page)
        assert len(many) == len(few), page
    assert len(shown(staff, "")) == 25


def test_an_entry_shows_every_change_escaped(staff: Client, activation: Activation) -> None:
    announce(Verb.CHANGED, activation, {f"Field {n}": ("<script>", f"new {n}") for n in range(6)}, run=1)
    entry = AuditEntry.objects.order_by("-pk")[0]
    html = staff.get(f"{LIST}{entry.pk}/change/").content.decode()
    assert all(f"new {n}" in html for n in range(6))
    assert "&lt;script&gt;" in html
    assert f"/admin/activations/activation/{activation.pk}/history/" in html
    assert "/admin/activations/run/1/change/" in html
    assert "and 3 more changes" in staff.get(LIST).content.decode()


def test_the_history_of_an_object_has_its_parts_and_runs(staff: Client, activation: Activation) -> None:
    mapping = activation.mappings.get()
    mapping.column = "legal_name"
    mapping.save()
    announce(Verb.APPROVED, Run.objects.get(), {"Run": ("", "1")}, run=1)
    html = staff.get(f"/admin/activations/activation/{activation.pk}/history/").content.decode()
    for words in ("History of Away", "Created", "Mapping to name", "legal_name", "Approved"):
        assert words in html, words
    assert "Approved" in staff.get("/admin/activations/run/1/history/").content.decode()
    assert "Approved" in staff.get("/admin/activations/warning/1/history/").content.decode()
    assert "/admin/activations/run/1/history/" in staff.get("/admin/activations/run/1/change/").content.decode()
    page = staff.get(f"/admin/activations/activation/{activation.pk}/change/").content.decode()
    assert f"/admin/activations/activation/{activation.pk}/history/" in page


def test_a_history_requires_permission_to_see_the_object_and_shows_no_addresses(activation: Activation) -> None:
    with acting_as(Actor(Kind.PERSON, "eve", 7, "203.0.113.9")):
        announce(Verb.PAUSED, activation)
    page = f"/admin/activations/activation/{activation.pk}/history/"
    assert viewer().get(page).status_code == 403
    some = viewer("view_activation").get(page).content.decode()
    assert "eve" in some
    assert "203.0.113.9" not in some
    assert "203.0.113.9" in viewer("view_activation", "view_auditentry").get(page).content.decode()


def test_a_deleted_object_keeps_its_history(staff: Client, activation: Activation) -> None:
    page = f"/admin/activations/activation/{activation.pk}/history/"
    staff.post(f"/admin/activations/activation/{activation.pk}/delete/", {"post": "yes"})
    assert not Activation.objects.exists()
    html = staff.get(page).content.decode()
    assert "History of Away (deleted)" in html
    assert "ops" in html
    assert viewer("view_activation").get(page).status_code == 403
    assert staff.get("/admin/activations/activation/99/history/").status_code == 404
    assert staff.get("/admin/activations/nothing/1/history/").status_code == 404


def test_there_is_one_history(staff: Client, activation: Activation) -> None:
    page = f"/admin/segments/segment/{Segment.objects.get().pk}/change/"
    staff.post(page, {"name": "Français", "where": "{}", "limit": "{}"})
    assert Segment.objects.get().name == "Français"
    assert not LogEntry.objects.exists()


def test_the_download_is_what_the_list_shows_and_runs_no_formula(staff: Client, activation: Activation) -> None:
    announce(Verb.EXPORTED, "=1+1", {"Note": ("", "@here")})
    answer: Any = staff.get(f"{LIST}csv/?verb=exported")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(text.splitlines()))
    assert [(row["what"], row["object"]) for row in rows] == [("exported", "Audit log"), ("exported", "'=1+1")]
    assert rows[0]["who"] == "ops"
    assert staff.get(f"{LIST}csv/?verb__regex=.").status_code == 400


def test_the_api_lists_entries_in_pages(staff: Client, activation: Activation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dinmo.audit.screens.api.PAGE", 2)
    announce(Verb.PAUSED, activation, {"Paused": ("", "By a user")}, run=3)
    first = staff.get("/api/audit/?object=activations.activation").json()
    assert first["entries"][0]["changes"] == [{"field": "Paused", "before": "", "after": "By a user"}]
    assert first["entries"][0]["object"] == {"type": "activations.activation", "id": activation.pk, "name": "Away"}
    second = staff.get(f"/api/audit/?object=activations.activation&before={first['next']}").json()
    assert [entry["verb"] for entry in second["entries"]] == ["created"]
    assert second["next"] is None
    assert [entry["run"] for entry in staff.get("/api/audit/?run=3").json()["entries"]] == [3]
    assert staff.get("/api/audit/?before=x").json()["entries"] == []
    assert staff.post("/api/audit/", {}).status_code == 405


def test_retention_deletes_old_entries_in_chunks(
    activation: Activation, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "CHUNK", 2)
    now = timezone.now()
    AuditEntry.objects.update(at=now - timedelta(days=31))
    number = AuditEntry.objects.count()
    settings.AUDIT_DAYS = 30
    assert retention.prune(now) == number
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.actor_label) == ("pruned", "DinMo")
    assert f"{number} entries" in str(entry.changes)


def test_changes_in_one_line() -> None:
    assert changed("10", "20") == "10 → 20"
    assert changed("", "20") == "20"
    assert changed("10", "") == "10 removed"
    changes = {name: ("", name) for name in "abcd"}
    assert summary(changes) == "a: a; b: b; c: c; and 1 more change"
