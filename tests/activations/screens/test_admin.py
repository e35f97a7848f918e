"""The screens of activations, runs and warnings, submitted as by a browser, with a simulated vendor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django_celery_beat.models import PeriodicTask

from activations.models import Activation, Change, FieldMapping, Record, Run, Warning
from activations.runs import dispatch
from activations.setup import spec_from_db
from destinations.models import Connection, Destination
from destinations.services.attio.companies import AttioCompanies
from segments.sources.discovery import refresh_columns
from tests.activations.conftest import TOKEN, Shop

if TYPE_CHECKING:
    from segments.models import DataModel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "enqueue", lambda run_id: None)


@pytest.fixture
def attio_companies(attio: Any, transactional_db: None) -> Destination:
    connection = Connection.objects.create(name="Our Attio", platform="attio", secrets={"token": TOKEN})
    return Destination.objects.create(name="Attio companies", connection=connection, service="attio.companies")


@pytest.fixture
def intercom_companies(intercom: Any, transactional_db: None) -> Destination:
    connection = Connection.objects.create(
        name="Our Intercom", platform="intercom", config={"region": "us"}, secrets={"token": TOKEN}
    )
    return Destination.objects.create(name="Intercom companies", connection=connection, service="intercom.companies")


def rows(prefix: str, initial: int, *items: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {f"{prefix}-TOTAL_FORMS": len(items), f"{prefix}-INITIAL_FORMS": initial}
    for index, item in enumerate(items):
        values.update({f"{prefix}-{index}-{name}": value for name, value in item.items()})
    return values


def mapping(target: str, column: str = "", fixed: str = "", **more: Any) -> dict[str, Any]:
    return {"column": column, "fixed": fixed, "target": target, "when_empty": "keep", "multi": "replace", **more}


def form(
    model: DataModel, destination: Destination, *mappings: dict[str, Any], initial: int = 0, **more: Any
) -> dict[str, Any]:
    values = {
        "name": "Companies away", "records": f"model:{model.pk}", "destination": destination.pk, "mode": "upsert",
        "match_column": "domain", "match_field": "domains", "backfill": "all", "warnings_enabled": "on",
        "rejected_percent": 5, "invalid_percent": 5, "size_change_percent": 30,
        "recipients": "ops@example.com, sales@example.com", "_save": "Save",
        **rows("mappings", initial, *mappings), **rows("schedules", 0),
    }  # fmt: skip
    return {**values, **more}


def add(staff: Client, values: dict[str, Any]) -> Any:
    return staff.post("/admin/activations/activation/add/", values)


def test_attribute_and_its_parts_can_not_be_mapped_together(
    staff: Client, companies: DataModel, attio_companies: Destination
) -> None:
    answer = add(
        staff,
        form(
            companies,
            attio_companies,
            mapping("primary_location", "plan"),
            mapping("primary_location.locality", "description"),
        ),
    )
    (formset, *_) = [inline.formset for inline in answer.context["inline_admin_formsets"]]
    assert "both as a whole and by its parts: primary_location.locality" in formset.errors[0]["target"][0]
    assert not Activation.objects.exists()


def change(staff: Client, activation: Activation, values: dict[str, Any]) -> Any:
    return staff.post(f"/admin/activations/activation/{activation.pk}/change/", values)


def press(staff: Client, target: Activation | Run, name: str) -> Any:
    kind = "run" if isinstance(target, Run) else "activation"
    return staff.post(f"/admin/activations/{kind}/{target.pk}/do/{name}/", follow=True)


def test_activation_is_saved_with_mappings_schedules_and_recipients(
    staff: Client, companies: DataModel, attio_companies: Destination
) -> None:
    schedules = rows(
        "schedules",
        0,
        {"kind": "interval", "every": 15, "unit": "minutes", "timezone": "UTC"},
        {"kind": "weekly", "days": ["monday"], "at": "09:00", "unit": "minutes", "timezone": "Europe/Paris"},
    )
    answer = add(
        staff,
        form(
            companies, attio_companies, mapping("name", "name"), mapping("description", fixed="Customer"), **schedules
        ),
    )

    assert answer.status_code == 302, answer.context["errors"]
    activation = Activation.objects.get()
    assert list(activation.mappings.values_list("target", "column", "value")) == [
        ("name", "name", None),
        ("description", "", "Customer"),
    ]
    assert activation.recipients == ["ops@example.com", "sales@example.com"]
    assert PeriodicTask.objects.filter(name__startswith="schedule:").count() == 2


def test_every_problem_is_shown_at_its_form_field(
    staff: Client, companies: DataModel, attio_companies: Destination
) -> None:
    invalid = form(
        companies, attio_companies, mapping("name", "name"), mapping("no_such", "name"), mapping("description", "gone"),
        match_column="nowhere", match_field="name", recipients="nobody",
    )  # fmt: skip
    answer = add(staff, invalid)

    errors = answer.context["adminform"].form.errors
    assert "no column “nowhere”" in errors["match_column"][0]
    assert "can't identify records" in errors["match_field"][0]
    assert "not a valid email address" in errors["recipients"][0]
    assert not Activation.objects.exists()
    corrected = {**invalid, "match_column": "domain", "match_field": "domains", "recipients": ""}
    mappings = add(staff, corrected).context["inline_admin_formsets"][0].formset.errors
    assert [list(errors) for errors in mappings] == [[], ["target"], ["column"]]


@pytest.mark.parametrize(
    ("kind", "field", "words"),
    [
        ("weekly", "days", "Choose one or more days"),
        ("interval", "every", "The interval must be at least one minute"),
        ("cron", "cron", "five"),
    ],
)
def test_incomplete_schedule_is_an_error_and_not_dropped(
    staff: Client, companies: DataModel, attio_companies: Destination, kind: str, field: str, words: str
) -> None:
    unfinished = rows("schedules", 0, {"kind": kind, "unit": "minutes", "timezone": "UTC"})
    answer = add(staff, form(companies, attio_companies, mapping("name", "name"), **unfinished))
    assert words in answer.context["inline_admin_formsets"][1].formset.errors[0][field][0]


def test_two_rows_can_swap_their_attributes(staff: Client, companies: DataModel, attio_companies: Destination) -> None:
    add(staff, form(companies, attio_companies, mapping("name", "name"), mapping("description", "plan")))
    activation = Activation.objects.get()
    first, second = activation.mappings.all()
    swapped = [
        mapping("description", "name", id=first.pk, activation=activation.pk),
        mapping("name", "plan", id=second.pk, activation=activation.pk),
    ]
    answer = change(staff, activation, form(companies, attio_companies, *swapped, initial=2))

    assert answer.status_code == 302
    after = {row.column: row for row in activation.mappings.all()}
    assert (after["name"].target, after["plan"].target) == ("description", "name")
    assert {row.slot for row in after.values()}.isdisjoint({first.slot, second.slot})


def test_custom_attributes_become_separate_mappings(
    staff: Client, companies: DataModel, intercom_companies: Destination
) -> None:
    values = form(companies, intercom_companies, mapping("name", "name"), match_column="id", match_field="company_id")
    assert add(staff, {**values, "custom_columns": ["seats", "domain"]}).status_code == 302
    activation = Activation.objects.get()
    kept = FieldMapping.objects.get(column="seats", custom_attribute=True)

    row = mapping("name", "name", id=activation.mappings.get(target="name").pk, activation=activation.pk)
    again = form(companies, intercom_companies, row, initial=1, match_column="id", match_field="company_id")
    assert change(staff, activation, {**again, "custom_columns": ["seats"]}).status_code == 302
    assert list(activation.mappings.filter(custom_attribute=True)) == [kept]


@pytest.mark.parametrize("answers", [True, False])
def test_name_that_intercom_refuses_is_reported_by_the_form(
    staff: Client,
    companies: DataModel,
    intercom_companies: Destination,
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
    answers: bool,
) -> None:
    """F28: it was reported by the run."""
    shop.run('alter table companies add column "revenue ($ millions)" integer')
    refresh_columns(companies)
    if not answers:
        monkeypatch.setenv("INTERCOM_API_URL", "http://127.0.0.1:9")
    values = form(
        companies, intercom_companies, match_column="id", match_field="company_id",
        custom_columns=["revenue ($ millions)"],
    )  # fmt: skip
    errors = add(staff, values).context["adminform"].form.errors
    assert "names can contain only letters" in errors["custom_columns"][0]


def test_country_of_phone_numbers_is_chosen_beside_the_attribute(
    staff: Client, companies: DataModel, attio_companies: Destination
) -> None:
    people = Destination.objects.create(name="People", connection=attio_companies.connection, service="attio.people")
    given = form(
        companies, people, mapping("phone_numbers", "plan", country="FR"), mapping("job_title", "name", country="FR"),
        match_field="email_addresses",
    )  # fmt: skip
    errors = add(staff, given).context["inline_admin_formsets"][0].formset.errors
    assert [list(row) for row in errors] == [[], ["target"]]
    assert "takes no phone numbers" in errors[1]["target"][0]
    answer = add(staff, {**given, "mappings-1-country": ""})
    assert answer.status_code == 302
    assert dict(FieldMapping.objects.values_list("target", "country")) == {"phone_numbers": "FR", "job_title": ""}


def test_attio_does_not_support_custom_attributes(
    staff: Client, companies: DataModel, attio_companies: Destination
) -> None:
    answer = add(staff, {**form(companies, attio_companies, mapping("name", "name")), "custom_columns": ["plan"]})
    assert "doesn't support custom attributes" in answer.context["adminform"].form.errors["custom_columns"][0]


def test_activation_can_be_saved_while_the_vendor_does_not_answer(
    staff: Client, companies: DataModel, attio_companies: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTIO_API_URL", "http://127.0.0.1:9")
    answer = staff.post(
        "/admin/activations/activation/add/", form(companies, attio_companies, mapping("name", "name")), follow=True
    )
    assert Activation.objects.exists()
    assert "could not be validated" in answer.content.decode()


def test_changed_match_after_a_run_needs_consent(
    staff: Client, companies: DataModel, attio_companies: Destination
) -> None:
    add(staff, form(companies, attio_companies, mapping("name", "name")))
    activation = Activation.objects.get()
    identity = spec_from_db.spec(activation).identity().stored()
    generation = activation.generations.create(number=1, identity=identity)
    Record.objects.create(generation=generation, key="1", key_digest=1)
    row = mapping("name", "name", id=activation.mappings.get().pk, activation=activation.pk)
    values = form(companies, attio_companies, row, initial=1, match_column="plan")

    assert "agree" in change(staff, activation, values).context["adminform"].form.errors
    assert change(staff, activation, {**values, "agree": "on"}).status_code == 302
    activation.refresh_from_db()
    assert activation.start_afresh


def test_buttons_start_runs_pause_and_cancel(staff: Client, companies: DataModel, attio_companies: Destination) -> None:
    every = rows("schedules", 0, {"kind": "interval", "every": 15, "unit": "minutes", "timezone": "UTC"})
    add(staff, form(companies, attio_companies, mapping("name", "name"), **every))
    activation = Activation.objects.get()

    press(staff, activation, "dry_run")
    run = Run.objects.get()
    assert (run.dry_run, run.trigger, run.state) == (True, Run.Trigger.MANUAL, Run.State.QUEUED)
    press(staff, run, "cancel")
    run.refresh_from_db()
    assert run.cancel_requested

    assert not PeriodicTask.objects.get(name__startswith="schedule:").enabled, "a draft starts nothing"
    press(staff, activation, "run")
    assert PeriodicTask.objects.get(name__startswith="schedule:").enabled
    press(staff, activation, "pause")
    assert not PeriodicTask.objects.get(name__startswith="schedule:").enabled
    press(staff, activation, "resume")
    assert PeriodicTask.objects.get(name__startswith="schedule:").enabled


def test_buttons_require_a_post_and_the_permission(
    companies: DataModel, staff: Client, attio_companies: Destination
) -> None:
    add(staff, form(companies, attio_companies, mapping("name", "name")))
    activation = Activation.objects.get()
    assert staff.get(f"/admin/activations/activation/{activation.pk}/do/run/").status_code == 405

    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_activation"))
    browser = Client()
    browser.force_login(viewer)
    assert browser.post(f"/admin/activations/activation/{activation.pk}/do/run/").status_code == 403
    assert browser.get(f"/admin/activations/activation/{activation.pk}/change/").status_code == 200
    assert not Run.objects.exists()


def test_deleting_an_activation_deletes_its_periodic_tasks(
    staff: Client, companies: DataModel, attio_companies: Destination
) -> None:
    every = rows("schedules", 0, {"kind": "interval", "every": 15, "unit": "minutes", "timezone": "UTC"})
    add(staff, form(companies, attio_companies, mapping("name", "name"), **every))
    staff.post(f"/admin/activations/activation/{Activation.objects.get().pk}/delete/", {"post": "yes"})
    assert not Activation.objects.exists()
    assert not PeriodicTask.objects.filter(name__startswith="schedule:").exists()


@pytest.fixture
def finished(companies: DataModel, attio_companies: Destination) -> Run:
    activation = Activation.objects.create(
        name="Away", model=companies, destination=attio_companies, match_column="domain", match_field="domains"
    )
    run = Run.objects.create(
        activation=activation, number=1, state=Run.State.SUCCEEDED, trigger=Run.Trigger.MANUAL, accepted=70
    )
    common = {"run": run, "epoch": 1, "is_new": True, "state": Change.State.SETTLED}
    for key in range(70):
        Change.objects.create(
            **common, key=f"a{key:02}", key_digest=key, outcome="accepted", values={"name": f"N{key}"}, sent=["name"]
        )
    Change.objects.create(
        **common,
        key="b1",
        key_digest=99,
        outcome="rejected",
        code="validation_type",
        message="No such option.",
        request_id="req-7",
    )
    return run


def test_run_page_paginates_searches_and_filters_changes(staff: Client, finished: Run) -> None:
    page = f"/admin/activations/run/{finished.pk}/change/"
    assert "Page 1 of 3" in staff.get(page).content.decode()
    rejected = staff.get(page, {"outcome": "rejected"}).content.decode()
    assert all(text in rejected for text in ("b1", "validation_type", "No such option.", "req-7"))
    assert "a01" not in rejected
    matching = staff.get(page, {"q": "a07"}).content.decode()
    assert "N7" in matching
    assert "1 record<" in matching


def test_polling_stops_once_the_run_has_ended(staff: Client, finished: Run) -> None:
    assert staff.get(f"/admin/activations/run/{finished.pk}/progress/").status_code == 286
    Run.objects.update(state=Run.State.DELIVERING, planned=140)
    answer = staff.get(f"/admin/activations/run/{finished.pk}/progress/")
    assert answer.status_code == 200
    assert 'aria-valuenow="50"' in answer.content.decode()


def test_lists_can_be_searched_and_filtered(staff: Client, finished: Run) -> None:
    Warning.objects.create(
        activation=finished.activation,
        run=finished,
        last_run=finished,
        kind="empty_segment",
        message="Nothing.",
        opened_at=finished.created_at,
    )
    for path, text in {
        "/admin/activations/run/?state__exact=succeeded&q=Away": "Away",
        "/admin/activations/change/?q=b1": "No such option.",
        "/admin/activations/warning/?state=open": "Nothing.",
        "/admin/activations/activation/?destination__id__exact=1": "Away",
        "/admin/activations/activation/?show=never": "No matches",
        "/admin/": "Away",
    }.items():
        answer = staff.get(path)
        assert answer.status_code == 200, path
        assert text in answer.content.decode(), path


def every(minutes: int, **more: Any) -> dict[str, Any]:
    return {"kind": "interval", "every": minutes, "unit": "minutes", "timezone": "UTC", **more}


def test_added_changed_and_deleted_schedules_reach_beat(
    staff: Client, companies: DataModel, attio_companies: Destination
) -> None:
    add(staff, form(companies, attio_companies, mapping("name", "name"), **rows("schedules", 0, every(15))))
    activation = Activation.objects.get()
    field, first = activation.mappings.get(), activation.schedules.get()
    kept = mapping("name", "name", id=field.pk, activation=activation.pk)

    def save(*schedules: dict[str, Any]) -> list[int]:
        values = form(companies, attio_companies, kept, initial=1, **rows("schedules", 1, *schedules))
        assert change(staff, activation, values).status_code == 302
        return sorted(
            PeriodicTask.objects.filter(name__startswith="schedule:").values_list("interval__every", flat=True)
        )

    mine = {"id": first.pk, "activation": activation.pk}
    assert save(every(15, **mine), every(30)) == [15, 30]
    second = activation.schedules.exclude(pk=first.pk).get()
    PeriodicTask.objects.filter(name=f"schedule:{second.pk}").delete()
    second.delete()
    assert save(every(45, **mine)) == [45]
    assert save(every(45, DELETE="on", **mine)) == []


def test_activation_can_be_deleted_with_its_runs_and_sync_history(staff: Client, finished: Run) -> None:
    page = staff.get(f"/admin/activations/activation/{finished.activation_id}/delete/").content.decode()
    assert ("can&#x27;t be undone" in page or "can't be undone" in page, "may not delete" in page) == (True, False)
    assert (
        staff.post(f"/admin/activations/activation/{finished.activation_id}/delete/", {"post": "yes"}).status_code
        == 302
    )
    assert (Activation.objects.count(), Run.objects.count(), Change.objects.count()) == (0, 0, 0)


def test_form_sends_vendor_requests_before_its_transaction_begins(
    staff: Client, companies: DataModel, attio_companies: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside: list[bool] = []
    fields = AttioCompanies.fields

    def recorded(service: AttioCompanies, client: Any) -> Any:
        inside.append(connection.in_atomic_block)
        return fields(service, client)

    monkeypatch.setattr(AttioCompanies, "fields", recorded)
    add(staff, form(companies, attio_companies, mapping("name", "name")))
    assert (Activation.objects.count(), set(inside)) == (1, {False})


def test_activation_without_a_destination_is_refused_on_its_page(
    staff: Client, companies: DataModel, attio_companies: Destination
) -> None:
    add(staff, form(companies, attio_companies, mapping("name", "name")))
    values = form(companies, attio_companies, mapping("name", "name")) | {"destination": "", "records": ""}
    page = change(staff, Activation.objects.get(), values)
    assert page.status_code == 200
    assert "This field is required" in page.content.decode()
