"""Drafts of the editor: what was entered is there again when the page is opened later."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from activations.models import Activation, Draft

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db
PAGE = "/admin/activations/activation/add/"


def kept(staff: Client, **entries: str) -> int:
    data = {name: [value] for name, value in entries.items()}
    answer = staff.post("/api/editor/drafts/", json.dumps({"data": data}), content_type="application/json")
    return int(answer.json()["draft"])


def rows(prefix: str, *items: dict[str, str]) -> dict[str, str]:
    values = {f"{prefix}-{place}-{name}": value for place, item in enumerate(items) for name, value in item.items()}
    return {f"{prefix}-TOTAL_FORMS": str(len(items)), f"{prefix}-INITIAL_FORMS": "0", **values}


def shown(formset: Any, name: str) -> list[Any]:
    return [form[name].value() for form in formset.forms]


def test_draft_brings_back_the_mapping_and_the_schedules(staff: Client) -> None:
    mappings = rows("mappings", {"origin": "column", "column": "name", "target": "name"}, {"origin": "column"})
    schedules = rows("schedules", {"kind": "cron", "cron": "0 7 * * 1-5", "timezone": "Europe/Paris"})
    draft = kept(staff, name="Half made", **mappings, **schedules)
    page = staff.get(PAGE, {"draft": draft})
    assert page.context["form"]["name"].value() == "Half made"
    assert shown(page.context["mappings"], "target") == ["name", None]
    assert shown(page.context["schedules"], "cron") == ["0 7 * * 1-5"]


def test_draft_is_kept_without_saving_an_activation(staff: Client) -> None:
    kept(staff, name="Half made")
    assert not Activation.objects.exists()
    assert str(Draft.objects.get()) == "Half made"


def test_draft_of_a_different_person_is_not_opened(staff: Client, client: Client, django_user_model: Any) -> None:
    draft = kept(staff, name="Half made")
    client.force_login(django_user_model.objects.create_superuser("other"))
    assert client.get(PAGE, {"draft": draft}).context["form"]["name"].value() is None


def test_drafts_are_small_enough_to_be_listed(staff: Client) -> None:
    fields = {f"mappings-{place}-template": ["x" * 10_000] for place in range(31)}
    answer = staff.post("/api/editor/drafts/", json.dumps({"data": fields}), content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "draft_invalid")
    many = {"custom_columns": [""] * 300_001}
    answer = staff.post("/api/editor/drafts/", json.dumps({"data": many}), content_type="application/json")
    assert answer.status_code == 400
    assert not Draft.objects.exists()
