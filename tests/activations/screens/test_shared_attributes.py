"""Pages and the editor name the other activations that write the same attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from activations.models import Activation
from activations.setup import writers_from_db
from activations.setup.duplicate import duplicate
from destinations.models import Connection, Destination
from destinations.vendor import check
from segments.models import DataModel, Segment
from tests.activations.conftest import TOKEN, map_fields
from tests.activations.screens.test_editor import samples

if TYPE_CHECKING:
    from django.test import Client

    from tests.activations.conftest import Shop

pytestmark = pytest.mark.django_db(transaction=True)
CONFLICT = "If both send the same record, the last run wins."


def other(to_attio: Activation, *fields: tuple[str, str], name: str = "Contracts", **more: Any) -> Activation:
    """A second activation of the same model, which maps different columns."""
    values: dict[str, Any] = {"destination": to_attio.destination, "model": to_attio.model, **more}
    row = Activation.objects.create(name=name, match_column="domain", match_field="domains", **values)
    return map_fields(row, *(fields or [("plan", "name")]))


def page(staff: Client, activation: Activation, query: str = "") -> str:
    return staff.get(f"/admin/activations/activation/{activation.pk}/change/{query}").content.decode()


def link(activation: Activation) -> str:
    return f'href="/admin/activations/activation/{activation.pk}/change/"'


def test_pages_of_both_name_the_other_and_what_it_means(staff: Client, to_attio: Activation) -> None:
    second = other(to_attio)
    for one, the_other in ((to_attio, second), (second, to_attio)):
        shown = page(staff, one)
        assert f"{link(the_other)}>{the_other.name}</a> also writes “name”. {CONFLICT}" in shown
        assert 'class="d-note d-note-warn" data-shared' in shown


def test_activation_that_shares_nothing_shows_no_note(staff: Client, to_attio: Activation) -> None:
    second = other(to_attio, ("plan", "twitter"))
    assert "data-shared" not in page(staff, to_attio)
    assert "data-shared" not in page(staff, second)


def test_match_does_not_count(staff: Client, to_attio: Activation) -> None:
    other(to_attio, ("domain", "domains"))
    assert "data-shared" not in page(staff, to_attio)


def test_different_connection_counts_once_its_workspace_is_known(staff: Client, to_attio: Activation) -> None:
    row = Connection.objects.create(name="Second", platform="attio", secrets={"token": TOKEN})
    place = Destination.objects.create(name="Second companies", connection=row, service="attio.companies")
    second = other(to_attio, destination=place)
    assert "data-shared" not in page(staff, to_attio)
    for each in (row, to_attio.destination.connection):
        check(each, second.created_at)
    assert link(second) in page(staff, to_attio)
    assert link(to_attio) in page(staff, second)


def test_different_object_of_the_workspace_does_not_count(staff: Client, to_attio: Activation) -> None:
    people = Destination.objects.create(
        name="People", connection=to_attio.destination.connection, service="attio.people"
    )
    other(to_attio, destination=people)
    assert "data-shared" not in page(staff, to_attio)


def test_segment_of_the_same_model_writes_the_same_value(staff: Client, to_attio: Activation) -> None:
    segment = Segment.objects.create(name="Pro", model=to_attio.data_model)
    other(to_attio, ("name", "name"), model=None, segment=segment)
    shown = page(staff, to_attio)
    assert "also writes “name”. Both write the same value for the same row." in shown
    assert "d-note-warn" not in shown


def test_mode_that_only_creates_replaces_nothing(
    staff: Client, shop: Shop, companies: DataModel, to_attio: Activation
) -> None:
    other(to_attio, mode="insert")
    never = "writes only when it creates the record, so it never replaces a value of"
    assert f"“Contracts” {never} this activation." in page(staff, to_attio)
    shop.fill(2)
    row = {"target": "description", "column": "plan"}
    found = samples(staff, companies, to_attio.destination, row, mode="insert")["shared"]["description"][0]
    assert f"This activation {never} “To Attio”." in found["words"]


def test_copy_is_named_as_a_draft(staff: Client, to_attio: Activation) -> None:
    copy = duplicate(to_attio)
    shown = page(staff, to_attio)
    assert f"{link(copy)}>{copy.name}</a> (a draft) also writes" in shown
    assert "d-note-warn" not in shown


def test_editor_names_the_other_at_the_row_only(staff: Client, to_attio: Activation) -> None:
    second = other(to_attio)
    shown = page(staff, to_attio, "?step=mapping")
    assert shown.count(link(second)) == 1
    row = next(row for row in shown.split("data-row>") if 'value="name" selected' in row and "-target" in row)
    assert f"{link(second)} target=" in row
    assert CONFLICT in row


def test_editor_checks_what_a_person_enters(
    staff: Client, shop: Shop, companies: DataModel, to_attio: Activation
) -> None:
    shop.fill(2)
    rows = [{"target": "name", "column": "plan"}, {"target": "description", "column": "description"}]
    found = samples(staff, companies, to_attio.destination, *rows, {"target": "twitter", "column": "plan"})["shared"]
    assert found.keys() == {"name", "description"}
    (name,), (description,) = found["name"], found["description"]
    assert (name["name"], name["conflict"], description["conflict"]) == ("To Attio", True, False)
    assert name["url"] == f"/admin/activations/activation/{to_attio.pk}/change/"
    assert name["words"].startswith(f"also writes “name”. {CONFLICT}")
    own = samples(staff, companies, to_attio.destination, *rows, activation=str(to_attio.pk))
    assert own["shared"] == {}


def test_editor_checks_policies_and_custom_attributes(
    staff: Client, shop: Shop, companies: DataModel, to_intercom: Activation
) -> None:
    shop.fill(2)
    map_fields(to_intercom, {"column": "seats", "target": "seats", "custom_attribute": True})
    wanted = {"match_column": "id", "match_field": "company_id", "custom": ["seats"]}
    row = {"target": "plan", "column": "name", "policy": "if_empty"}
    found = samples(staff, companies, to_intercom.destination, row, **wanted)["shared"]
    assert found["plan"][0]["words"].endswith("only if it is empty, so it never replaces a value of “To Intercom”.")
    assert found["seats"][0]["words"].endswith("Both write the same value for the same row.")


def test_review_names_the_other_before_anything_is_sent(staff: Client, to_attio: Activation) -> None:
    second = other(to_attio, is_draft=True)
    shown = staff.get(f"/admin/activations/activation/{second.pk}/review/").content.decode()
    assert f"{link(to_attio)}>To Attio</a> also writes “name”. {CONFLICT}" in shown


def test_number_of_queries_does_not_depend_on_the_others(staff: Client, to_attio: Activation) -> None:
    def queries(query: str = "") -> int:
        with CaptureQueriesContext(
            connection,
        ) as context:
            page(staff, to_attio, query)
        return len(context)

    other(to_attio)
    queries()
    few = queries(), queries("?step=mapping")
    for number in range(20):
        other(to_attio, ("plan", "name"), ("name", "description"), name=f"Other {number}")
    assert (queries(), queries("?step=mapping")) == few
    assert "16 more activations write the same attributes." in page(staff, to_attio)


def test_two_queries_find_the_others(to_attio: Activation) -> None:
    other(to_attio)
    activation = (
        Activation.objects.select_related("model", "destination__connection")
        .prefetch_related("mappings")
        .get(pk=to_attio.pk)
    )
    with CaptureQueriesContext(connection) as context:
        assert len(writers_from_db.shared(activation)) == 1
    assert len(context) == 2
