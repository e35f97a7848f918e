"""The endpoints and pages of the editor, with a real source and a simulated vendor."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from activations.models import Activation, Draft, Run
from activations.runs import dispatch
from activations.screens.editor import comparing, sample_rows, words
from destinations.contract import Limits
from destinations.registry import services
from segments.models import Segment
from tests.activations.screens.test_admin import add, attio_companies, change, form, intercom_companies, mapping, rows
from tests.activations.vendor import Memory, Movable, Vendor

if TYPE_CHECKING:
    from destinations.models import Destination
    from segments.models import DataModel
    from tests.activations.conftest import Shop

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["attio_companies", "intercom_companies"]


@pytest.fixture(autouse=True)
def _no_worker_and_rows_to_sample(monkeypatch: pytest.MonkeyPatch, shop: Shop) -> None:
    shop.fill(12)
    shop.add((13, "Twin", "company1.com", None, "pro", 1), (14, "No domain", None, None, "pro", 1))
    monkeypatch.setattr(dispatch, "enqueue", lambda run_id: None)
    sample_rows._kept.clear()


def post(staff: Client, path: str, body: dict[str, Any]) -> Any:
    return staff.post(f"/api/editor/{path}", body, content_type="application/json")


def samples(staff: Client, model: DataModel, destination: Destination, *given: dict[str, Any], **more: Any) -> Any:
    body = {
        "records": f"model:{model.pk}", "destination": destination.pk, "match_column": "domain",
        "match_field": "domains", "rows": [{"id": place, **row} for place, row in enumerate(given)], "custom": [],
    }  # fmt: skip
    answer = post(staff, "mapping/", {**body, **more})
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_samples_show_what_would_be_sent_and_what_would_be_refused(
    staff: Client, companies: DataModel, attio_companies: Destination
) -> None:
    found = samples(
        staff,
        companies,
        attio_companies,
        {"target": "name", "column": "name"},
        {"target": "foundation_date", "column": "name"},
        {"target": "description", "template": "{name} ({plan})"},
        {"target": "created_at", "column": "name"},
    )
    name, date, text, read_only = found["rows"]
    assert name["examples"]
    assert all(sample["from"] == sample["to"] for sample in name["examples"])
    assert "sample rows would be refused" in date["problem"]
    assert "(" in text["examples"][0]["to"]
    assert "read-only" in read_only["problem"]
    assert found["match"]["examples"][0]["to"]
    assert found["match"]["proposed"] is None


def test_match_may_be_an_attribute_that_can_not_be_changed(
    staff: Client, companies: DataModel, intercom_companies: Destination
) -> None:
    wanted = {"match_column": "id", "match_field": "company_id"}
    match = samples(staff, companies, intercom_companies, **wanted)["match"]
    assert not match["problem"]
    assert match["examples"]


def test_values_missing_among_the_options_are_counted(
    staff: Client, companies: DataModel, attio_companies: Destination
) -> None:
    (row,) = samples(staff, companies, attio_companies, {"target": "categories", "column": "name"})["rows"]
    assert "14 of 14 sample rows would be refused: not among the options of Categories: Company 1 (1)" in row["problem"]


def test_match_and_fields_are_suggested_while_nothing_is_chosen(
    staff: Client, companies: DataModel, attio_companies: Destination
) -> None:
    found = samples(staff, companies, attio_companies, match_column="")
    assert found["match"]["proposed"]["column"] == "domain"
    assert {"column": "name", "target": "name", "label": "Name", "reason": "same name"} in found["suggestions"]


def test_custom_attributes_come_with_their_type_and_their_problem(
    staff: Client, companies: DataModel, intercom_companies: Destination
) -> None:
    found = samples(staff, companies, intercom_companies, match_column="id", match_field="company_id")
    assert found["custom"]["seats"]["type"] == "integer"
    assert found["custom"]["seats"]["problem"] == ""


def test_source_is_read_once_for_a_burst_of_edits(
    staff: Client, companies: DataModel, attio_companies: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples(staff, companies, attio_companies, {"target": "name", "column": "name"})
    monkeypatch.setattr(
        "activations.screens.editor.sample_rows.read.preview", lambda *args, **options: pytest.fail("read again")
    )
    samples(staff, companies, attio_companies, {"target": "description", "column": "name"})


def test_match_is_described_by_its_empty_and_doubled_values(staff: Client, companies: DataModel) -> None:
    answer = post(staff, "match/", {"records": f"model:{companies.pk}", "column": "domain"})
    assert answer.status_code == 200, answer.content
    assert answer.json()["text"] == (
        "1 of 14 rows (7%) has no value here, and is not sent. "
        "2 rows share their value with another row, and are not sent: company1.com (2 rows)."
    )


def test_draft_is_kept_per_person_restored_and_deleted_by_saving(
    staff: Client, companies: DataModel, attio_companies: Destination
) -> None:
    values = form(companies, attio_companies, mapping("name", "name", origin="column"), name="Half-made")
    data = {name: [str(value)] for name, value in values.items() if name != "_save"}
    draft = post(staff, "drafts/", {"data": data}).json()["draft"]
    assert post(staff, "drafts/", {"data": data, "draft": draft}).json()["draft"] == draft
    page = staff.get(f"/admin/activations/activation/add/?draft={draft}").content.decode()
    assert "Half-made" in page
    assert "Restored what you had entered" in page
    assert "Half-made" in staff.get("/admin/activations/activation/").content.decode()

    User.objects.create_superuser("other", "other@example.com", "password")
    other = Client()
    other.login(username="other", password="password")
    assert "Half-made" not in other.get(f"/admin/activations/activation/add/?draft={draft}").content.decode()
    assert other.delete(f"/api/editor/drafts/{draft}/").status_code == 404

    assert add(staff, {**values, "draft": draft}).status_code == 302
    assert not Draft.objects.exists()


@pytest.mark.parametrize("data", [[], {"name": "text"}, {"name": [1]}, {"name": ["x" * 10_001]}])
def test_draft_of_a_different_shape_is_refused(staff: Client, data: Any) -> None:
    assert post(staff, "drafts/", {"data": data}).status_code == 400
    assert not Draft.objects.exists()


def test_template_is_saved_and_a_broken_one_is_refused_at_its_field(
    staff: Client, companies: DataModel, attio_companies: Destination
) -> None:
    broken = mapping("description", template="{nowhere}", origin="template")
    (formset, *_) = [
        each.formset for each in add(staff, form(companies, attio_companies, broken)).context["inline_admin_formsets"]
    ]
    assert "nowhere" in formset.errors[0]["template"][0]
    row = mapping("description", "plan", template="{name} {plan}", fixed="typed before", origin="template")
    assert add(staff, form(companies, attio_companies, row)).status_code == 302
    saved = Activation.objects.get().mappings.get()
    assert (saved.template, saved.column, saved.value) == ("{name} {plan}", "", None)


def test_new_activation_is_a_draft_until_it_is_started(
    staff: Client, companies: DataModel, attio_companies: Destination
) -> None:
    schedule = rows("schedules", 0, {"kind": "interval", "every": 15, "unit": "minutes", "timezone": "UTC"})
    values = form(companies, attio_companies, mapping("name", "name"), **schedule)
    answer = add(staff, {**{name: value for name, value in values.items() if name != "_save"}, "_review": "1"})
    activation = Activation.objects.get()
    assert activation.is_draft
    dry_run = Run.objects.get()
    assert dry_run.dry_run
    review = f"/admin/activations/activation/{activation.pk}/review/"
    assert answer.url == f"{review}?run={dry_run.pk}"
    assert staff.get(answer.url).status_code == 200

    started = staff.post(review, {"start": "1"})
    activation.refresh_from_db()
    assert not activation.is_draft
    assert started.url == f"/admin/activations/run/{Run.objects.get(dry_run=False).pk}/change/"


def test_comparing_stays_undecided_until_somebody_chooses_something_else(
    staff: Client, companies: DataModel, attio_companies: Destination
) -> None:
    add(staff, form(companies, attio_companies, mapping("name", "name"), compare_first="True"))
    saved = Activation.objects.get()
    assert saved.compare_first is None
    row = {"id": saved.mappings.get().pk, "activation": saved.pk, **mapping("name", "name")}
    values = form(companies, attio_companies, row, initial=1)
    for chosen, stored in (("False", False), ("", None), ("False", False), (None, False), ("True", True)):
        change(staff, saved, values if chosen is None else {**values, "compare_first": chosen})
        saved.refresh_from_db()
        assert saved.compare_first is stored
    page = staff.get(f"/admin/activations/activation/{saved.pk}/change/?step=destination").content.decode()
    assert re.search(r'<input[^>]* value="True"[^>]* checked', page)


def test_choice_to_compare_says_what_it_costs() -> None:
    many, one = (comparing.meanings(services[slug]) for slug in ("attio.companies", "intercom.companies"))
    assert (many["default"], one["default"]) == ("True", "False")
    assert "up to 499 with one request" in many["words"]["True"]
    assert "one more request for each" in one["words"]["True"]
    assert comparing.meanings(Movable(Memory(Vendor()))) == {}


def test_length_of_a_run_that_compares_counts_its_lookups() -> None:
    attio = services["attio.companies"]
    text = words.pace(2_000, 10, Activation(mode="upsert"), attio)
    assert text.startswith("Reading 2,000 new companies in Attio takes 5 requests. If all 2,010 companies have to be")
    assert words.pace(2_000, 10, Activation(mode="upsert", compare_first=False), attio).startswith("Sending 2,010")
    assert words.pace(0, 0, Activation(mode="upsert"), attio) == ""


def test_review_needs_the_permission_to_change(
    staff: Client, companies: DataModel, attio_companies: Destination
) -> None:
    add(staff, form(companies, attio_companies, mapping("name", "name")))
    User.objects.create_user("viewer", "viewer@example.com", "password", is_staff=True)
    viewer = Client()
    viewer.login(username="viewer", password="password")
    pk = Activation.objects.get().pk
    assert viewer.post(f"/admin/activations/activation/{pk}/review/", {"start": "1"}).status_code in (403, 404)
    for path in (f"activations/{pk}/request/", f"activations/{pk}/test/", "mapping/", "match/", "drafts/"):
        assert post(viewer, path, {}).status_code == 403
    assert not Run.objects.exists()


def test_length_is_estimated_from_the_slower_of_lookups_and_writes() -> None:
    limits = Limits(reads=100, writes=25, find_batch=50)
    assert words.seconds_to_send(1_000, limits) == 40
    assert words.seconds_to_send(1_000, limits, looked_up=1_000) == 40
    assert words.seconds_to_send(1_000, Limits(reads=10, writes=10, shared=True), looked_up=1_000) == 200
    assert [words.rough_length(seconds) for seconds in (5, 240, 7_300, 400_000)] == [
        "less than a minute", "about 4 minutes", "about 2 hours", "about 5 days",
    ]  # fmt: skip


def test_the_only_model_and_destination_are_chosen_on_a_new_activation(
    staff: Client, companies: DataModel, attio_companies: Destination
) -> None:
    def chosen() -> tuple[Any, Any]:
        form = staff.get("/admin/activations/activation/add/").context["adminform"].form
        return form["records"].value(), form["destination"].value()

    assert chosen() == (f"model:{companies.pk}", attio_companies.pk)
    model = staff.get("/admin/segments/segment/add/").context["adminform"].form["model"].value()
    assert model == companies.pk
    Segment.objects.create(name="Some", model=companies, where={})
    attio_companies.pk, attio_companies.name = None, "Second"
    attio_companies.save()
    assert chosen() == (None, None)


def test_review_names_attributes_by_their_labels(
    staff: Client, companies: DataModel, attio_companies: Destination
) -> None:
    samples(staff, companies, attio_companies)
    activation = Activation.objects.create(
        name="A", model=companies, destination=attio_companies, match_column="domain", match_field="domains"
    )
    activation.mappings.create(column="plan", target="primary_location.locality")
    activation.mappings.create(column="name", target="gone_since")
    page = staff.get(f"/admin/activations/activation/{activation.pk}/review/").content.decode()
    assert "domain → Domains" in page
    assert "plan → Primary location: locality" in page
    assert "name → gone_since" in page
