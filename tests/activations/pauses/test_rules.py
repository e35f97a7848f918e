"""What pauses an activation, and how long until its cause is checked again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from activations.pauses.rules import Failure, failure_of, in_a_row, pauses, starts_run, wait
from core.errors import Misconfigured, Problem, Rejected, Unavailable


def from_(origin: str, problem: Problem) -> Problem:
    problem.origin = origin
    return problem


@pytest.mark.parametrize(
    ("problem", "source_works", "culprit", "is_outage"),
    [
        (from_("source", Unavailable("source_unreachable", "Away.")), False, "source", True),
        (from_("source", Unavailable("source_timeout", "Slow.")), True, "source", True),
        (from_("source", Misconfigured("source_login", "Wrong password.")), False, "source", False),
        (from_("source", Misconfigured("source_changed", "Gone.")), True, "configuration", False),
        (from_("connection", Misconfigured("unauthorized", "No.", where="token")), True, "connection", False),
        (from_("connection", Unavailable("timeout", "Away.")), True, "connection", True),
        (Misconfigured("match_field", "Gone.", where="match"), True, "configuration", False),
        (Unavailable("rate_limit_exceeded", "Slower.", throttled=True), True, "", True),
        (Rejected("value", "No."), True, "", False),
    ],
)
def test_culprit_is_what_has_to_work_again(problem: Problem, source_works: bool, culprit: str, is_outage: bool) -> None:
    found = failure_of(problem, source_works=source_works)
    assert (found.culprit, found.is_outage) == (culprit, is_outage)


@pytest.mark.parametrize(
    ("culprit", "is_outage", "failures", "expected"),
    [
        ("source", True, 2, False),
        ("source", True, 3, True),
        ("source", False, 1, True),
        ("connection", False, 1, True),
        ("configuration", False, 1, True),
        ("connection", True, 50, False),
        ("", True, 50, False),
        ("", False, 50, False),
    ],
)
def test_outage_of_the_source_gets_three_tries_and_what_a_person_must_correct_none(
    culprit: str, is_outage: bool, failures: int, expected: bool
) -> None:
    assert pauses(Failure(culprit, "code", "Words.", is_outage), failures, 3) is expected


def test_only_failures_for_the_same_reason_count() -> None:
    assert in_a_row(["source", "source", "", "source"], "source") == 2
    assert in_a_row(["connection", "source"], "source") == 0
    assert in_a_row([], "source") == 0


def test_wait_between_checks_grows_to_an_hour() -> None:
    assert [wait(checks) // timedelta(minutes=1) for checks in range(7)] == [1, 2, 5, 15, 60, 60, 60]


def test_saving_a_mapping_starts_no_run_without_a_schedule() -> None:
    assert not starts_run("configuration", has_schedules=False)
    assert starts_run("configuration", has_schedules=True)
    assert starts_run("source", has_schedules=False)
