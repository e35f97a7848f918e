"""Records arrive exactly once, complete, and independently of each other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from core.errors import Problem, Rejected
from destinations.contract import NewField, Result, Verb

if TYPE_CHECKING:
    from tests.destinations.contract.case import Case

UNUSUAL = "Zoë e\u0301 株式会社 🥐 \u05e9\u05dc\u05d5\u05dd <b>&amp;</b> ' \" \\ %s"


def test_empty_batch_sends_no_request(case: Case) -> None:
    assert dict(case.service.find(case.client, case.match_field, [])) == {}
    assert case.service.prepare(case.client, list(case.fields.values()), []) == list(case.fields.values())
    assert list(case.sandbox.log) == []


def test_record_is_written_with_one_request_that_returns_its_id(case: Case) -> None:
    outcome = case.write(1)
    (record,) = case.records()
    assert (outcome.result, outcome.remote_id) == (Result.ACCEPTED, record["id"])
    assert outcome.created_at is not None
    assert set(outcome.sent) >= set(case.sample.values)
    assert len(case.sandbox.log) == 1


def test_second_upsert_creates_no_second_record(case: Case) -> None:
    first, second = case.write(1), case.write(1)
    assert first.remote_id == second.remote_id
    assert len(case.records()) == 1


def test_second_create_creates_no_second_record(case: Case) -> None:
    case.write(1, Verb.CREATE)
    assert case.write(1, Verb.CREATE).result in (Result.EXISTS, Result.ACCEPTED)
    assert len(case.records()) == 1


def test_update_changes_only_the_record_with_its_id(case: Case) -> None:
    first, second = case.write(1), case.write(2)
    changed: dict[str, Any] = {case.sample.text: "Changed"}
    case.write(1, Verb.UPDATE, remote_id=first.remote_id, **changed)
    holding = [record["id"] for record in case.records() if case.holds(record, "Changed")]
    assert holding == [first.remote_id] != [second.remote_id]


def test_update_of_a_deleted_record_creates_none(case: Case) -> None:
    case.write(1)
    case.respond(404)
    assert case.write(2, Verb.UPDATE, remote_id=case.records()[0]["id"]).result is Result.GONE
    assert len(case.records()) == 1


def test_lookup_finds_only_existing_records(case: Case) -> None:
    outcome = case.write(1)
    ids: dict[str, str] = {}
    for number in (1, 2):
        ids |= case.service.find(case.client, case.match_field, [case.identity(number)])
    assert ids == {case.identity(1): outcome.remote_id}


def test_rejected_record_does_not_affect_others(case: Case) -> None:
    outcomes: list[object] = []
    for operation in (case.operation(1), case.bad(2), case.operation(3)):
        try:
            outcomes.append(case.send(operation).result)
        except Problem as problem:
            outcomes.append(type(problem))
    assert outcomes == [Result.ACCEPTED, Rejected, Result.ACCEPTED]
    assert len(case.records()) == 2


def test_rejected_record_is_not_stored_and_has_a_request_id(case: Case) -> None:
    problem = case.problem(lambda: case.send(case.bad(1)))
    assert isinstance(problem, Rejected)
    assert problem.request_id
    assert case.records() == []


def test_text_in_any_script_arrives_unchanged(case: Case) -> None:
    unusual: dict[str, Any] = {case.sample.text: UNUSUAL}
    case.write(1, **unusual)
    (record,) = case.records()
    assert case.holds(record, UNUSUAL)


def test_check_of_a_valid_credential_returns_the_workspace(case: Case) -> None:
    workspace = case.service.platform.check(case.client)
    assert workspace.id
    assert workspace.name


def test_adding_to_a_list_is_accepted_and_creates_no_second_record(case: Case) -> None:
    first = case.write(1)
    names = frozenset(name for name in case.sample.values if case.fields[name].multiple)
    outcome = case.send(replace(case.operation(1, Verb.UPDATE, remote_id=first.remote_id), add=names))
    assert outcome.result is Result.ACCEPTED
    assert len(case.records()) == 1


def test_missing_field_is_created_by_prepare(case: Case) -> None:
    if not case.service.creates_fields:
        pytest.skip("only people can create fields at this vendor")
    prepared = {
        field.name: field
        for field in case.service.prepare(case.client, list(case.fields.values()), [NewField("seats_sold", "integer")])
    }
    assert prepared["seats_sold"].writable
    assert case.discovered()["seats_sold"].type == prepared["seats_sold"].type
