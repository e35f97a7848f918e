"""Connections that break or slow down: no record is lost, and none is duplicated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core import http
from core.errors import Problem, Unavailable
from destinations.contract import Result, Verb

if TYPE_CHECKING:
    from tests.destinations.contract.case import Case

VERBS = [Verb.UPSERT, Verb.CREATE]


def assert_safe_to_repeat(case: Case, problem: Problem, verb: Verb) -> None:
    """The write may have been stored, and repeating it creates no second record."""
    assert isinstance(problem, Unavailable)
    assert problem.ambiguous
    assert not problem.throttled
    assert case.write(1, verb).result in (Result.ACCEPTED, Result.EXISTS)
    assert len(case.records()) == 1


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(("action", "stored"), [("cut", 0), ("cut_after", 1)])
def test_write_repeated_after_a_closed_connection_leaves_one_record(
    case: Case, verb: Verb, action: str, stored: int
) -> None:
    case.fail(action)
    problem = case.problem(lambda: case.write(1, verb))
    assert len(case.records()) == stored
    assert_safe_to_repeat(case, problem, verb)


@pytest.mark.parametrize("verb", VERBS)
def test_write_repeated_after_a_timeout_leaves_one_record(
    case: Case, verb: Verb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", 0.4)
    case.fail("delay_after", seconds=1.2)
    problem = case.problem(lambda: case.write(1, verb))
    assert len(case.records()) == 1
    monkeypatch.undo()
    assert_safe_to_repeat(case, problem, verb)


def test_update_repeated_after_a_closed_connection_changes_the_same_record(case: Case) -> None:
    known = case.write(1).remote_id
    case.fail("cut_after")
    changed: dict[str, Any] = {case.sample.text: "Changed"}
    problem = case.problem(lambda: case.write(1, Verb.UPDATE, remote_id=known, **changed))
    assert isinstance(problem, Unavailable)
    assert case.write(1, Verb.UPDATE, remote_id=known, **changed).result is Result.ACCEPTED
    (record,) = case.records()
    assert case.holds(record, "Changed")


def test_slow_response_is_accepted(case: Case) -> None:
    case.sandbox.latency_seconds = 0.3
    assert case.write(1).result is Result.ACCEPTED


def test_interrupted_lookup_is_not_ambiguous(case: Case) -> None:
    case.fail("cut")
    problem = case.problem(lambda: case.service.find(case.client, case.match_field, [case.identity(1)]))
    assert isinstance(problem, Unavailable)
    assert not problem.ambiguous
