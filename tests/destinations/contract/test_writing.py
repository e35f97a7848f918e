"""Records that arrive: once, whole, and each by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from core.errors import Problem, Rejected
from destinations.contract import NewField, Result, Verb

if TYPE_CHECKING:
    from tests.destinations.contract.case import Case

UNUSUAL = "Zoë e\u0301 株式会社 🥐 \u05e9\u05dc\u05d5\u05dd <b>&amp;</b> ' \" \\ %s"


def test_an_empty_batch_asks_for_nothing(case: Case) -> None:
    assert dict(case.service.find(case.client, case.match_field, [])) == {}
    assert case.service.prepare(case.client, list(case.fields.values()), []) == list(case.fields.values())
    assert list(case.sandbox.log) == []


def test_a_record_is_written_with_one_request_and_its_id_comes_back(case: Case) -> None:
    outcome = case.write(1)
    (record,) = case.records()
    assert (outcome.result, outcome.remote_id) == (Result.ACCEPTED, record["id"])
    assert outcome.created_at is not None
    assert set(outcome.sent) >= set(case.sample.values)
    assert len(case.sandbox.log) == 1


def test_an_upsert_twice_is_one_record(case: Case) -> None:
    first, second = case.write(1), case.write(1)
    assert first.remote_id == second.remote_id
    assert len(case.records()) == 1


def test_a_create_twice_is_one_record(case: Case) -> None:
    case.write(1, Verb.CREATE)
    assert case.write(1, Verb.CREATE).result in (Result.EXISTS, Result.ACCEPTED)
    assert len(case.records()) == 1


def test_an_update_changes_the_record_of_its_id_and_no_other(case: Case) -> None:
    first, second = case.write(1), case.write(2)
    changed: dict[str, Any] = {case.sample.text: "Changed"}
    case.write(1, Verb.UPDATE, remote_id=first.remote_id, **changed)
    holding = [record["id"] for record in case.records() if case.holds(record, "Changed")]
    assert holding == [first.remote_id] != [second.remote_id]


def test_an_update_of_a_record_that_is_gone_creates_none(case: Case) -> None:
    case.write(1)
    case.answer(404)
    assert case.write(2, Verb.UPDATE, remote_id=case.records()[0]["id"]).result is Result.GONE
    assert len(case.records()) == 1


def test_only_what_exists_is_found(case: Case) -> None:
    outcome = case.write(1)
    found: dict[str, str] = {}
    for number in (1, 2):
        found |= case.service.find(case.client, case.match_field, [case.identity(number)])
    assert found == {case.identity(1): outcome.remote_id}


def test_one_bad_record_spares_the_rest(case: Case) -> None:
    outcomes: list[object] = []
    for operation in (case.operation(1), case.bad(2), case.operation(3)):
        try:
            outcomes.append(case.send(operation).result)
        except Problem as problem:
            outcomes.append(type(problem))
    assert outcomes == [Result.ACCEPTED, Rejected, Result.ACCEPTED]
    assert len(case.records()) == 2


def test_a_bad_record_leaves_nothing_behind_and_says_what_the_vendor_calls_it(case: Case) -> None:
    problem = case.refused(lambda: case.send(case.bad(1)))
    assert isinstance(problem, Rejected)
    assert problem.request_id
    assert case.records() == []


def test_text_of_every_alphabet_arrives_as_it_is(case: Case) -> None:
    unusual: dict[str, Any] = {case.sample.text: UNUSUAL}
    case.write(1, **unusual)
    (record,) = case.records()
    assert case.holds(record, UNUSUAL)


def test_the_check_of_a_good_credential_names_the_workspace(case: Case) -> None:
    workspace = case.service.platform.check(case.client)
    assert workspace.id
    assert workspace.name


def test_what_is_added_to_a_list_stays_beside_what_is_there(case: Case) -> None:
    first = case.write(1)
    names = frozenset(name for name in case.sample.values if case.fields[name].multiple)
    outcome = case.send(replace(case.operation(1, Verb.UPDATE, remote_id=first.remote_id), add=names))
    assert outcome.result is Result.ACCEPTED
    assert len(case.records()) == 1


def test_a_missing_field_is_created_before_records_need_it(case: Case) -> None:
    if not case.service.creates_fields:
        pytest.skip("the vendor's fields are made by people")
    made = {
        field.name: field
        for field in case.service.prepare(case.client, list(case.fields.values()), [NewField("seats_sold", "integer")])
    }
    assert made["seats_sold"].writable
    assert case.discovered()["seats_sold"].type == made["seats_sold"].type
