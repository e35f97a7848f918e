"""The page of one record, and the search that leads to it."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from activations.models import Activation, Change, Run
from activations.runs import dispatch
from activations.screens.run.rows import timeline as address
from activations.screens.timeline import found_in_run, found_records
from activations.setup.duplicate import duplicate
from tests.activations.conftest import Shop, run, segment

if TYPE_CHECKING:
    from segments.models import DataModel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "enqueue", lambda run_id: None)


@pytest.fixture
def named(companies: DataModel) -> DataModel:
    companies.display_column = "name"
    companies.save()
    return companies


def text(client: Client, url: str) -> str:
    """The text of a page, with single spaces."""
    answer = client.get(url)
    assert answer.status_code == 200, answer
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


def live(url: str) -> str:
    return url.replace("/?", "/live/?")


def test_page_answers_for_each_activation_with_former_and_new_values(
    staff: Client, named: DataModel, shop: Shop, to_attio: Activation
) -> None:
    shop.fill(2)
    run(to_attio)
    shop.set(1, "description", "Better")
    run(to_attio)
    page = text(staff, address(named.pk, "1"))
    assert "Company 1" in page
    assert "Updated in Attio on" in page
    assert re.search(r"Description from No. 1 → to Better", page)
    assert page.count("To Attio") >= 3


def test_row_outside_the_segment_is_explained_by_its_present_value(
    staff: Client, named: DataModel, shop: Shop, to_attio: Activation
) -> None:
    shop.fill(1)
    to_attio.segment = segment(named, {"all": [{"field": "seats", "is": "greater_than", "value": 10}]})
    to_attio.model = None
    to_attio.save()
    page = text(staff, live(address(named.pk, "1")))
    assert "because the condition “seats is greater than 10” is not met (seats is 1)" in page
    assert "Present values in the source" in page


def test_source_that_can_not_be_read_leaves_the_stored_answer(
    staff: Client, named: DataModel, shop: Shop, to_attio: Activation
) -> None:
    shop.fill(1)
    run(to_attio)
    shop.path.unlink()
    page = text(staff, live(address(named.pk, "1")))
    assert "The row can't be read from the source now" in page
    assert "Created in Attio on" in page


def test_present_values_need_permission_to_preview(named: DataModel, shop: Shop, to_attio: Activation) -> None:
    shop.fill(1)
    run(to_attio)
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__in=["view_change", "view_values"]))
    client = Client()
    client.force_login(viewer)
    url = address(named.pk, "1")
    assert live(url) not in client.get(url).content.decode()
    assert client.get(live(url)).status_code == 403


def test_page_of_a_record_needs_permission(named: DataModel, to_attio: Activation) -> None:
    client = Client()
    client.force_login(User.objects.create_user("nobody", is_staff=True))
    assert client.get(address(named.pk, "1")).status_code == 403


@pytest.mark.parametrize("begin", ["company 1", "COMPANY1.COM", "1"])
def test_records_are_found_by_the_beginning_of_name_match_and_key(
    named: DataModel, shop: Shop, to_attio: Activation, begin: str
) -> None:
    shop.fill(3)
    run(to_attio)
    Change.objects.filter(key="1").update(name="Company 1")
    # The simulator's IDs are random, and may begin with the same digit: exact matches come first.
    first, *others = found_records.records(begin, 5, sees=True)
    assert (first.key, first.name) == ("1", "Company 1")
    assert all(one.what for one in others)


def test_records_are_found_by_their_id_at_the_destination(named: DataModel, shop: Shop, to_attio: Activation) -> None:
    shop.fill(2)
    run(to_attio)
    change = Change.objects.get(key="2")
    (found,) = found_records.records(change.remote_id[:12], 5, sees=True)
    assert (found.key, found.what) == ("2", change.remote_id)


@pytest.mark.parametrize("name", found_records.FIELDS)
def test_search_uses_an_index(named: DataModel, name: str) -> None:
    plan = found_records.beginning(name, "acme").order_by().values_list("pk", flat=True)[:5].explain()
    assert connection.vendor != "sqlite" or f"change_begins_{name}" in plan


ACCENTED = {1: "Müller GmbH", 2: "München Bräu", 3: "Muller Ltd", 4: "Ørsted", 5: "Straßenbau"}


@pytest.fixture
def accented(named: DataModel, shop: Shop, to_attio: Activation) -> Run:
    """A run that sent records whose names have accents."""
    shop.fill(len(ACCENTED))
    for key, name in ACCENTED.items():
        shop.set(key, "name", name)
    return run(to_attio)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("muller", {1, 3}),
        ("MÜLLER", {1, 3}),
        ("munchen", {2}),
        ("München b", {2}),
        ("ørsted", {4}),
        ("orsted", {4}),
        ("strasse", {5}),
        ("STRASS", {5}),
    ],
)
def test_names_are_found_without_accents_and_in_any_case(
    staff: Client, accented: Run, text: str, keys: set[int]
) -> None:
    names = {ACCENTED[key] for key in keys}
    assert {found.name for found in found_records.records(text, 8, sees=True)} == names
    answer = staff.get("/api/search/", {"q": text}).json()
    assert {item["title"] for group in answer["groups"] for item in group["items"]} == names
    for by_index in (False, True):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(found_in_run, "is_by_beginning", lambda run, by_index=by_index: by_index)
            listed = found_in_run.mentioning(accented, Change.objects.filter(run=accented), text)
            assert {change.name for change in listed} == names
    answer = staff.get(reverse("admin:activations_change_changelist"), {"q": text})
    assert {change.name for change in answer.context["cl"].result_list} == names


def test_part_of_a_name_is_found_within_a_run(accented: Run) -> None:
    listed = found_in_run.mentioning(accented, Change.objects.filter(run=accented), "brau")
    assert [change.name for change in listed] == ["München Bräu"]


def test_objects_are_found_without_accents(staff: Client, to_attio: Activation) -> None:
    Activation.objects.update(name="Kunden in Köln")
    groups = staff.get("/api/search/", {"q": "koln"}).json()["groups"]
    assert [item["title"] for group in groups for item in group["items"]] == ["Kunden in Köln"]


def test_names_that_earlier_versions_stored_are_filled_in(accented: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    migration = import_module("activations.migrations.0022_names_without_accents")
    stored = dict(Change.objects.values_list("key", "plain_name"))
    assert stored == {"1": "muller gmbh", "2": "munchen brau", "3": None, "4": "orsted", "5": "strassenbau"}
    Change.objects.update(plain_name=None)
    monkeypatch.setattr(migration, "ROWS_AT_A_TIME", 2)
    migration.fill(apps, connection.schema_editor())
    assert dict(Change.objects.values_list("key", "plain_name")) == stored


def test_search_without_accents_uses_an_index(db: None) -> None:
    plan = found_records.beginning_plainly("muller").order_by().values_list("pk", flat=True)[:5].explain()
    assert connection.vendor != "sqlite" or "change_plain_name" in plan


def test_search_groups_records_and_objects(staff: Client, named: DataModel, shop: Shop, to_attio: Activation) -> None:
    shop.fill(1)
    run(to_attio)
    Change.objects.update(name="Compass")
    groups = {group["label"]: group["items"] for group in staff.get("/api/search/?q=comp").json()["groups"]}
    assert [item["title"] for item in groups["Records"]] == ["Compass"]
    assert groups["Records"][0]["url"] == address(named.pk, "1")
    assert [item["title"] for item in groups["Models"]] == ["Companies"]


def test_search_shows_only_what_a_person_may_see(named: DataModel, shop: Shop, to_attio: Activation) -> None:
    shop.fill(1)
    run(to_attio)
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_datamodel"))
    client = Client()
    client.force_login(viewer)
    answer = client.get("/api/search/?q=comp").json()
    assert [group["label"] for group in answer["groups"]] == ["Models"]
    assert not answer["may_search_sources"]
    assert client.post("/api/search/source/", {"q": "comp"}, "application/json").status_code == 403


def test_rows_that_no_run_has_seen_are_found_in_the_source(
    staff: Client, named: DataModel, shop: Shop, to_attio: Activation
) -> None:
    shop.fill(3)
    found = staff.post("/api/search/source/", {"q": "PANY3.c"}, "application/json").json()
    assert found == {
        "items": [
            {
                "title": "Company 3",
                "note": "Companies · 3 · company3.com",
                "url": address(named.pk, "3"),
                "icon": "database",
            }
        ],
        "problems": [],
    }


def test_list_finds_records_and_leads_to_their_pages(
    staff: Client, named: DataModel, shop: Shop, to_attio: Activation
) -> None:
    shop.fill(3)
    run(to_attio)
    page = staff.get("/admin/activations/change/?q=company2").content.decode()
    assert address(named.pk, "2") in page
    assert address(named.pk, "3") not in page


def test_number_of_queries_does_not_depend_on_the_history(
    staff: Client, named: DataModel, shop: Shop, to_attio: Activation
) -> None:
    shop.fill(1)
    counts = []
    for plan in ("a", "b", "c"):
        shop.set(1, "description", plan)
        run(to_attio)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            text(staff, address(named.pk, "1"))
        counts.append(len(queries))
    assert counts[1] == counts[2]


def test_number_of_queries_does_not_depend_on_the_number_of_activations(
    staff: Client, named: DataModel, shop: Shop, to_attio: Activation
) -> None:
    shop.fill(1)
    run(to_attio)
    counts = []
    for copies in (1, 5):
        for _ in range(copies):
            copy = duplicate(to_attio)
            copy.is_draft = False
            copy.save()
            run(copy)
        with CaptureQueriesContext(connection) as queries:
            text(staff, address(named.pk, "1"))
        counts.append(len(queries))
    assert counts[0] == counts[1]
