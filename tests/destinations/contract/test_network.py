"""Connections that break or crawl: nothing is lost, and nothing is there twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core import http
from core.errors import Problem, Unavailable
from destinations.contract import Result, Verb

if TYPE_CHECKING:
    from tests.destinations.contract.case import Case

VERBS = [Verb.UPSERT, Verb.CREATE]


def interrupted(case: Case, problem: Problem, verb: Verb) -> None:
    """The write may have been stored, and repeating it makes no second record."""
    assert isinstance(problem, Unavailable)
    assert problem.ambiguous
    assert not problem.throttled
    assert case.write(1, verb).result in (Result.ACCEPTED, Result.EXISTS)
    assert len(case.records()) == 1


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(("action", "stored"), [("cut", 0), ("cut_after", 1)])
def test_a_cut_connection_is_repeated_into_one_record(case: Case, verb: Verb, action: str, stored: int) -> None:
    case.fail(action)
    problem = case.refused(lambda: case.write(1, verb))
    assert len(case.records()) == stored
    interrupted(case, problem, verb)


@pytest.mark.parametrize("verb", VERBS)
def test_a_time_out_after_the_vendor_stored_the_record_is_repeated_into_one_record(
    case: Case, verb: Verb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", 0.4)
    case.fail("delay_after", seconds=1.2)
    problem = case.refused(lambda: case.write(1, verb))
    assert len(case.records()) == 1
    monkeypatch.undo()
    interrupted(case, problem, verb)


def test_an_update_that_was_cut_after_it_was_stored_is_repeated_into_the_same(case: Case) -> None:
    known = case.write(1).remote_id
    case.fail("cut_after")
    changed: dict[str, Any] = {case.sample.text: "Changed"}
    problem = case.refused(lambda: case.write(1, Verb.UPDATE, remote_id=known, **changed))
    assert isinstance(problem, Unavailable)
    assert case.write(1, Verb.UPDATE, remote_id=known, **changed).result is Result.ACCEPTED
    (record,) = case.records()
    assert case.holds(record, "Changed")


def test_a_slow_answer_is_an_answer(case: Case) -> None:
    case.sandbox.latency_seconds = 0.3
    assert case.write(1).result is Result.ACCEPTED


def test_a_cut_look_up_may_be_repeated_without_a_doubt(case: Case) -> None:
    case.fail("cut")
    problem = case.refused(lambda: case.service.find(case.client, case.match_field, [case.identity(1)]))
    assert isinstance(problem, Unavailable)
    assert not problem.ambiguous
