"""Write policies where people set and see them: the editor, the activation, its runs, records and downloads."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

import pytest

from activations.models import Activation, FieldMapping
from activations.runs import dispatch
from activations.screens.run.rows import timeline
from activations.setup import rules, spec_from_db
from activations.setup.duplicate import duplicate
from activations.setup.mapping_diff import mapping_change
from destinations.services.attio.companies import AttioCompanies
from tests.activations.conftest import Shop, run
from tests.activations.screens.test_admin import add, change, form, mapping

if TYPE_CHECKING:
    from django.test import Client

    from activations.models import Run
    from destinations.models import Destination
    from destinations.sandbox.base import Sandbox
    from segments.models import DataModel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "enqueue", lambda run_id: None)


@pytest.fixture
def kept(shop: Shop, attio: Sandbox, to_attio: Activation) -> Run:
    """A run that keeps the description of company 1, and creates company 2."""
    to_attio.mappings.filter(target="description").update(policy="if_empty")
    shop.fill(2)
    company = {"name": "Company 1", "domains": ["company1.com"], "description": "Written by hand"}
    with attio.lock:
        attio._switch({"records": {"companies": [company]}})
    return run(to_attio)


def text(staff: Client, url: str, **query: str) -> str:
    """The text of a page, with single spaces."""
    answer = staff.get(url, query)
    assert answer.status_code == 200, answer
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


def test_run_says_what_was_kept_and_lists_it(staff: Client, kept: Run) -> None:
    url = f"/admin/activations/run/{kept.pk}/change/"
    assert "1 kept: filled at the destination." in text(staff, url)
    listed = text(staff, url, outcome="kept")
    assert re.search(r"Description\s*: No\. 1 \(kept: filled at the destination\)", listed)
    assert "Company 2" not in listed
    record = kept.changes.get(key="1")
    assert "No. 1 (kept: filled at the destination)" in text(staff, f"/admin/activations/change/{record.pk}/change/")


def test_what_was_kept_is_downloaded_with_the_reason(staff: Client, kept: Run) -> None:
    answer: Any = staff.get(f"/admin/activations/run/{kept.pk}/download/")
    lines = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert lines[1:] == [["1", "Company 1", "Kept", "filled at the destination", "description", "description: No. 1"]]


def test_timeline_of_a_record_says_what_was_kept(staff: Client, shop: Shop, kept: Run) -> None:
    model = kept.activation.data_model
    shop.set(1, "description", "Better")
    run(kept.activation)
    page = text(staff, timeline(model.pk, "1"))
    assert "Better (kept: filled at the destination)" in page
    assert "Nothing was sent on" in page
    # What was kept never counts as what the destination has.
    assert "No. 1 → " not in page


def test_activation_names_the_policies_that_are_not_the_default(staff: Client, kept: Run) -> None:
    words = "description → Description (only if empty at the destination)"
    assert words in text(staff, f"/admin/activations/activation/{kept.activation_id}/change/")
    assert words in text(staff, f"/admin/activations/activation/{kept.activation_id}/review/")


def test_copy_has_the_same_policies(kept: Run) -> None:
    assert duplicate(kept.activation).mappings.get(target="description").policy == "if_empty"


def test_policy_is_chosen_in_the_editor(staff: Client, companies: DataModel, to_attio: Activation) -> None:
    away: Destination = to_attio.destination
    to_attio.delete()
    answer = add(
        staff, form(companies, away, mapping("name", "name", policy="on_create"), mapping("description", "plan"))
    )
    assert answer.status_code == 302, answer.context["errors"]
    saved = Activation.objects.get()
    first, second = saved.mappings.all()
    assert (first.policy, second.policy) == ("on_create", "always")
    page = staff.get(f"/admin/activations/activation/{saved.pk}/change/", {"step": "mapping"}).content.decode()
    assert "Once a record exists at the destination, the field is left as it is." in page
    rows = [
        {"id": row.pk, **mapping(row.target, row.column, policy=policy)}
        for row, policy in ((first, "always"), (second, "if_empty"))
    ]
    change(staff, saved, form(companies, away, *rows, initial=2))
    policies = {row.target: (row.policy, row.slot) for row in saved.mappings.all()}
    assert policies["description"] == ("if_empty", second.slot)
    assert policies["name"][0] == "always"
    assert policies["name"][1] > second.slot


def test_row_without_a_choice_keeps_the_policy_it_has(
    staff: Client, companies: DataModel, to_attio: Activation
) -> None:
    to_attio.mappings.filter(target="name").update(policy="if_empty")
    rows = [{"id": row.pk, **mapping(row.target, row.column)} for row in to_attio.mappings.all()]
    change(staff, to_attio, form(companies, to_attio.destination, *rows, initial=2))
    assert dict(to_attio.mappings.values_list("target", "policy")) == {"name": "if_empty", "description": "always"}


@pytest.mark.parametrize(("policy", "codes"), [
    ("always", []), ("on_create", []), ("if_empty", ["policy_unreadable"]), ("restore", ["policy_unreadable"]),
])  # fmt: skip
def test_policy_needs_a_destination_that_can_be_read(
    to_attio: Activation, policy: str, codes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AttioCompanies, "compares", False)
    to_attio.mappings.filter(target="name").update(policy=policy)
    found = list(rules.offline(spec_from_db.spec(to_attio)))
    assert [(problem.code, problem.where) for problem in found] == [(code, "name") for code in codes]


def test_new_policy_is_announced_only_if_it_sends_something(kept: Run) -> None:
    activation = Activation.objects.get()
    row: FieldMapping = activation.mappings.get(target="description")
    row.policy = "on_create"
    row.save()
    assert mapping_change(activation) == ""
    row.policy = "always"
    row.save()
    announced = mapping_change(Activation.objects.get())
    assert announced.startswith(
        "“description” has a new write policy: the next run sends only it for the 2 synchronized"
    )
