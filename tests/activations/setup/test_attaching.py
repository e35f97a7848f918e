"""Which people an activation may attach, and what guards the model that they come from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activations.attaching import rules
from activations.models import Activation, AttachContacts
from activations.setup.attached import rules as attached
from activations.setup.duplicate import duplicate
from activations.setup.spec import ActivationSpec, AttachSpec
from core.errors import Misconfigured, Rejected
from destinations.contract import Revealed
from destinations.registry import services
from segments.integrity import segments as integrity
from segments.models import DataModel
from tests.activations.test_attach_contacts import people

__all__ = ["people"]
ATTACH = AttachSpec(
    "People", {"id": "integer", "company_id": "integer", "email": "text"}, "company_id", {"external_id": "id"}, 1
)


def spec(
    attach: AttachSpec | None = ATTACH, service: str = "intercom.companies", key: str = "integer"
) -> ActivationSpec:
    return ActivationSpec(
        service=services[service],
        platform="intercom",
        model_kind="custom",
        mode="upsert",
        columns={"id": key},
        match_column="id",
        match_field="company_id",
        primary_key="id",
        attach=attach,
    )


def problems(found: ActivationSpec) -> list[tuple[str, str]]:
    return [(problem.code, problem.where) for problem in attached.problems(found)]


def test_nothing_is_wrong_with_columns_that_fit() -> None:
    assert problems(spec()) == []
    assert problems(spec(None, "attio.companies")) == []


@pytest.mark.parametrize(
    ("attach", "found"),
    [
        (replace(ATTACH, found_by={}), ("attach_found_by", "external_id")),
        (replace(ATTACH, found_by={"phone": "id"}), ("attach_found_by", "phone")),
        (replace(ATTACH, found_by={"email": "mail"}), ("attach_column", "email")),
        (replace(ATTACH, company_column=""), ("attach_column", "company_column")),
        (replace(ATTACH, at_most=0), ("attach_number", "at_most")),
        (replace(ATTACH, at_most=51), ("attach_number", "at_most")),
    ],
)
def test_every_mistake_is_named_at_its_place(attach: AttachSpec, found: tuple[str, str]) -> None:
    assert problems(spec(attach)) == [(found[0], f"attach_contacts.{found[1]}")]


@pytest.mark.parametrize(
    ("held", "key", "fits"),
    [
        ("integer", "integer", True), ("text", "integer", True), ("text", "text", True), ("number", "integer", True),
        ("integer", "text", False), ("date", "date", False), ("boolean", "integer", False),
    ],
)  # fmt: skip
def test_column_must_be_able_to_hold_the_primary_key(held: str, key: str, fits: bool) -> None:
    attach = replace(ATTACH, columns={**ATTACH.columns, "company_id": held})
    expected = [] if fits else [("attach_key", "attach_contacts.company_column")]
    assert problems(spec(attach, key=key)) == expected


def test_destination_without_hidden_records_attaches_nobody() -> None:
    assert problems(spec(ATTACH, "attio.companies")) == [("attach_unsupported", "attach_contacts.model")]


@given(st.integers(1, 10_000), st.integers(1, 10**6))
def test_next_attempt_is_later_and_at_most_a_week_away(attempts: int, number: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    run, at = rules.next_attempt(attempts, number, now)
    assert run > number
    assert at - now == timedelta(days=7)
    assert rules.next_attempt(attempts + 1, number, now)[0] >= run


def test_attached_counts_even_if_others_were_refused() -> None:
    nouns, refusal = ("contact", "contacts"), Rejected("too_many", "No.", request_id="r")
    both = rules.result(Revealed(("c1",), (refusal,)), 2, nouns)
    assert (both.outcome, both.attached, both.is_visible) == ("attached", ("c1",), True)
    refused = rules.result(Revealed((), (refusal,)), 2, nouns)
    assert (refused.outcome, refused.code, refused.request_id, refused.is_visible) == (
        "refused",
        "too_many",
        "r",
        False,
    )
    assert rules.result(Revealed(), 2, nouns).message.startswith("The source has 2 people for it")
    assert rules.result(Revealed(), 0, nouns).message.startswith("The source has no person for it")
    assert rules.result(Revealed(was_visible=True), 1, nouns).outcome == "visible"


@pytest.fixture
def setting(to_intercom: Activation, people: DataModel) -> AttachContacts:
    found_by = {"external_id": "id", "email": "email"}
    return AttachContacts.objects.create(
        activation=to_intercom, model=people, company_column="company_id", found_by=found_by, at_most=2
    )


@pytest.mark.django_db(transaction=True)
def test_renamed_columns_of_the_people_are_followed(setting: AttachContacts) -> None:
    integrity.rename_column(setting.model, "company_id", "company")
    integrity.rename_column(setting.model, "email", "address")
    setting.refresh_from_db()
    assert (setting.company_column, setting.found_by) == ("company", {"external_id": "id", "email": "address"})


@pytest.mark.django_db(transaction=True)
def test_column_in_use_must_stay_selected_and_its_user_is_named(setting: AttachContacts) -> None:
    assert "the activation “To Intercom”" in integrity.users_of_column(setting.model, "company_id")
    setting.model.columns.filter(name="email").update(used=False)
    with pytest.raises(Misconfigured, match="email"):
        integrity.check_ticked(setting.model)


@pytest.mark.django_db(transaction=True)
def test_model_of_people_can_not_be_deleted_while_they_are_attached(setting: AttachContacts, staff: Any) -> None:
    page = staff.post(f"/admin/segments/datamodel/{setting.model.pk}/delete/", {"post": "yes"}, follow=True)
    assert DataModel.objects.filter(pk=setting.model.pk).exists()
    assert "To Intercom" in page.content.decode()


@pytest.mark.django_db(transaction=True)
def test_copy_of_an_activation_attaches_the_same_people(setting: AttachContacts) -> None:
    copy = AttachContacts.objects.get(activation=duplicate(setting.activation))
    same = ("model_id", "company_column", "found_by", "at_most")
    assert [getattr(copy, name) for name in same] == [getattr(setting, name) for name in same]
