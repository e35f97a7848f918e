"""What one answer of the vendor means for one change, without a database: every answer, mode and step."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activations.delivery import judgement, retry
from activations.delivery.ending import Ending
from activations.delivery.judgement import Sending
from activations.delivery.policies import Difference
from activations.delivery.retry import NEVER_SENT, Breaker
from activations.delivery.steps import Progress, Step
from activations.reasons import Reason
from core.errors import Rejected, Unavailable
from destinations.contract import Created, Held, Mode, Outcome, Purpose, Result

FIRST = datetime(2026, 3, 31, 9, 0, 0, 500_000, tzinfo=UTC)
CHANCE = random.Random(1)
ID1 = Held("id1")
TAKEN = Rejected("match_held", "It belongs to the record of “7”.", field="domains", request_id="r1")
WRITES = (Step.UPSERT, Step.UPDATE, Step.CREATE)


def sending(mode: Mode = Mode.UPSERT, step: Step = Step.UPSERT, attempts: int = 0, **progress: bool) -> Sending:
    return Sending(mode, step, Progress(**progress), ("name", "plan"), attempts, FIRST)


def no_answer(code: str = "timeout", **what: object) -> Unavailable:
    return Unavailable(code, "No usable answer.", **what)  # type: ignore[arg-type]


# Lookups


def test_a_lookup_in_upsert_mode_only_goes_on() -> None:
    judged = judgement.found(sending(step=Step.FIND), None, created_by_us=False)
    assert (judged.outcome, judged.progress.looked_up, judged.remote_id) == ("", True, None)


def test_update_mode_writes_all_of_what_it_found_and_skips_what_is_not_there() -> None:
    found = judgement.found(sending(Mode.UPDATE, Step.FIND), ID1, created_by_us=False)
    assert (found.outcome, found.remote_id, found.resend_all) == ("", "id1", True)
    missing = judgement.found(sending(Mode.UPDATE, Step.FIND), None, created_by_us=False)
    assert missing.reason
    assert (missing.outcome, missing.reason.code) == ("skipped", "not_there")


def test_insert_mode_creates_what_is_not_there_and_leaves_alone_what_is() -> None:
    assert judgement.found(sending(Mode.INSERT, Step.FIND), None, created_by_us=False).outcome == ""
    there = judgement.found(sending(Mode.INSERT, Step.FIND), ID1, created_by_us=False)
    assert there.reason
    assert (there.outcome, there.reason.code, there.remote_id) == ("skipped", "already_there", "")


def test_insert_mode_accepts_what_it_created_itself_without_an_answer() -> None:
    recognized = judgement.found(sending(Mode.INSERT, Step.FIND), ID1, created_by_us=True)
    assert recognized.accepted
    assert (recognized.outcome, recognized.created, recognized.remote_id, recognized.accepted.sent) == (
        "accepted",
        True,
        "id1",
        ("name", "plan"),
    )
    unanswered = judgement.found(sending(Mode.INSERT, Step.FIND, unanswered=True), ID1, created_by_us=False)
    assert (unanswered.outcome, unanswered.created) == ("accepted", False)


@pytest.mark.parametrize("mode", list(Mode))
def test_a_record_of_a_different_row_is_never_written(mode: Mode) -> None:
    judged = judgement.found(sending(mode, Step.FIND), ID1, created_by_us=False, rejection=TAKEN)
    assert judged.reason
    assert (judged.outcome, judged.reason.code, judged.reason.field, judged.attempted) == (
        "rejected", "match_held", "domains", True,
    )  # fmt: skip


# Writes


def test_an_accepted_write_is_created_only_if_the_record_is_not_older_than_the_first_attempt() -> None:
    whole_second = Outcome(Result.ACCEPTED, "id1", FIRST.replace(microsecond=0))
    assert judgement.written(sending(), whole_second).created
    older = Outcome(Result.ACCEPTED, "id1", FIRST - timedelta(seconds=1))
    assert not judgement.written(sending(), older).created
    assert not judgement.written(sending(step=Step.UPDATE), whole_second).created
    assert not judgement.written(sending(), Outcome(Result.ACCEPTED, "id1")).created


@pytest.mark.parametrize("created_at", [None, FIRST, FIRST - timedelta(days=1)])
def test_the_response_decides_whether_a_record_was_created_if_it_says_so(created_at: datetime | None) -> None:
    yes, no = (Outcome(Result.ACCEPTED, "id1", created_at, created=created) for created in (Created.YES, Created.NO))
    assert judgement.written(sending(), yes).created
    assert not judgement.written(sending(), no).created
    assert not judgement.written(sending(step=Step.UPDATE), yes).created


def test_a_written_record_that_is_a_different_rows_is_rejected() -> None:
    assert judgement.written(sending(), Outcome(Result.ACCEPTED, "id1"), TAKEN).outcome == "rejected"


def test_a_create_that_met_a_record_is_skipped_unless_an_earlier_one_was_never_answered() -> None:
    exists = Outcome(Result.EXISTS, "id1")
    assert judgement.written(sending(Mode.INSERT, Step.CREATE), exists).outcome == "skipped"
    recognized = judgement.written(sending(Mode.INSERT, Step.CREATE, unanswered=True), exists)
    assert (recognized.outcome, recognized.remote_id) == ("accepted", "id1")
    nameless = judgement.written(
        sending(Mode.INSERT, Step.CREATE, unanswered=True, looked_up=True), Outcome(Result.EXISTS)
    )
    assert (nameless.outcome, nameless.progress.looked_up) == ("", False)


def test_a_vanished_record_is_sent_whole_once_and_skipped_the_second_time_unless_we_may_create() -> None:
    gone = Outcome(Result.GONE)
    first = judgement.written(sending(Mode.UPDATE, Step.UPDATE), gone)
    assert (first.outcome, first.progress.gone, first.remote_id, first.resend_all) == ("", True, "", True)
    assert judgement.written(sending(Mode.UPDATE, Step.UPDATE, gone=True), gone).outcome == "skipped"
    assert judgement.written(sending(Mode.UPSERT, Step.UPDATE, gone=True), gone).outcome == ""


# Requests without an answer


def test_rate_limiting_pauses_the_budget_and_is_no_attempt() -> None:
    lookup = judgement.unanswered(
        sending(step=Step.FIND), no_answer(throttled=True, retry_after=7.0), stopping=False, chance=CHANCE
    )
    assert (lookup.pause, lookup.attempted, lookup.outcome) == ((Purpose.LOOKUP, 7.0), False, "")
    write = judgement.unanswered(sending(), no_answer(throttled=True), stopping=True, chance=CHANCE)
    assert write.pause == (Purpose.WRITE, 1.0)


@pytest.mark.parametrize("code", NEVER_SENT)
def test_a_request_that_was_never_sent_changes_nothing(code: str) -> None:
    before = sending(ambiguous=True, attempts=3)
    judged = judgement.unanswered(before, no_answer(code), stopping=False, chance=CHANCE)
    assert (judged.progress, judged.outcome, judged.attempted) == (before.progress, "", False)


def test_an_unanswered_create_is_looked_up_before_it_is_repeated() -> None:
    judged = judgement.unanswered(
        sending(Mode.INSERT, Step.CREATE, looked_up=True), no_answer(ambiguous=True), stopping=False, chance=CHANCE
    )
    assert judged.progress == Progress(ambiguous=True, looked_up=False, unanswered=True)


def test_a_lookup_never_makes_a_change_ambiguous() -> None:
    judged = judgement.unanswered(sending(step=Step.FIND), no_answer(ambiguous=True), stopping=False, chance=CHANCE)
    assert not judged.progress.ambiguous


@pytest.mark.parametrize(("ambiguous", "outcome"), [(True, "unknown"), (False, "not_sent")])
def test_the_last_attempt_settles_a_change_by_whether_it_may_have_arrived(ambiguous: bool, outcome: str) -> None:
    last = sending(attempts=retry.ATTEMPTS - 1)
    judged = judgement.unanswered(last, no_answer(ambiguous=ambiguous), stopping=False, chance=CHANCE)
    assert judged.outcome == outcome
    assert judgement.unanswered(last, no_answer(), stopping=True, chance=CHANCE).outcome == ""


@given(attempts=st.integers(0, 3), after=st.floats(0, 300), seed=st.integers())
def test_a_retry_waits_at_least_as_long_as_the_vendor_asked(attempts: int, after: float, seed: int) -> None:
    judged = judgement.unanswered(
        sending(attempts=attempts), no_answer(retry_after=after), stopping=False, chance=random.Random(seed)
    )
    assert judged.wait_seconds >= after
    assert judged.wait_seconds <= max(after, retry.BACKOFF_AT_MOST)
    assert judged.attempted


@given(
    mode=st.sampled_from(Mode),
    step=st.sampled_from(Step),
    progress=st.builds(Progress, st.booleans(), st.booleans(), st.booleans(), st.booleans()),
    ambiguous=st.booleans(),
    throttled=st.booleans(),
    attempts=st.integers(0, 9),
    stopping=st.booleans(),
)
def test_what_may_have_been_written_stays_in_doubt(
    mode: Mode, step: Step, progress: Progress, ambiguous: bool, throttled: bool, attempts: int, stopping: bool
) -> None:
    before = Sending(mode, step, progress, (), attempts, FIRST)
    judged = judgement.unanswered(
        before, no_answer(ambiguous=ambiguous, throttled=throttled), stopping=stopping, chance=CHANCE
    )
    assert judged.progress.ambiguous == (progress.ambiguous or (ambiguous and step in WRITES))
    assert judged.outcome in ("", "unknown", "not_sent")
    assert (judged.outcome == "unknown") <= judged.progress.ambiguous


# The breaker


def test_the_breaker_opens_after_answers_that_never_came_in_a_row() -> None:
    breaker = Breaker(at_most=3)
    for _ in range(2):
        breaker = breaker.after([no_answer()])
    assert not breaker.is_open
    assert breaker.after([no_answer()]).is_open
    assert not breaker.after([None]).after([no_answer()]).is_open
    assert not breaker.after([Rejected("bad", "Bad.")]).after([no_answer()]).is_open


def test_rate_limits_and_requests_that_were_never_sent_do_not_open_the_breaker() -> None:
    breaker = Breaker(failures=2, at_most=3)
    assert breaker.after([no_answer(throttled=True)]) == breaker
    for code in NEVER_SENT:
        assert breaker.after([no_answer(code)]) == breaker


def test_a_rejection_keeps_code_attribute_and_request_id() -> None:
    judged = judgement.rejected(Progress(), TAKEN)
    assert judged.reason == Reason("match_held", "It belongs to the record of “7”.", "domains", "r1")


# How long the vendor asked to wait


@pytest.mark.parametrize(
    ("asked", "retry_after", "until"),
    [
        ({}, None, None),
        ({"retry_after": 0.0}, 0.0, None),
        ({"retry_after": 120.0}, 120.0, None),
        ({"retry_after": 86400.0}, None, timedelta(days=1)),
        ({"retry_after": 99999999999999.0}, None, timedelta(hours=36)),
        ({"retry_after": float("inf")}, None, timedelta(hours=36)),
        ({"retry_after": float("nan")}, 0.0, None),
        ({"retry_after": -5.0}, 0.0, None),
        ({"not_before": FIRST + timedelta(seconds=30)}, 30.0, None),
        ({"not_before": FIRST - timedelta(days=1)}, 0.0, None),
        ({"not_before": FIRST + timedelta(hours=7)}, None, timedelta(hours=7)),
        ({"not_before": FIRST + timedelta(days=900)}, None, timedelta(hours=36)),
        ({"not_before": FIRST + timedelta(hours=7), "retry_after": 1.0}, None, timedelta(hours=7)),
    ],
)
def test_a_requested_wait_is_capped_and_a_long_one_ends_the_run(
    asked: dict[str, Any], retry_after: float | None, until: timedelta | None
) -> None:
    problem = retry.with_one_wait(no_answer(throttled=True, **asked), FIRST)
    assert problem.retry_after == retry_after
    assert problem.not_before == (None if until is None else FIRST + until)
    assert problem.throttled


def test_a_run_ends_once_the_vendor_accepts_no_more_for_a_long_time() -> None:
    ending = Ending()
    ending.observe([no_answer(throttled=True, retry_after=5.0)])
    assert not ending.is_due
    until = no_answer(throttled=True, not_before=FIRST)
    ending.observe([None, until])
    assert ending.problem is until


# Values that wait

MISSING = Rejected("company_unknown", "Not there yet.", field="company", request_id="r2")


def waiting(sent: tuple[str, ...], **more: Any) -> judgement.Judgement:
    outcome = Outcome(Result.ACCEPTED, "id1", sent=sent, waiting={"company": MISSING})
    return judgement.written(replace(sending(step=Step.UPDATE), **more), outcome)


def test_record_is_accepted_without_the_value_that_waits() -> None:
    judged = waiting(("name",))
    assert judged.reason
    assert (judged.outcome, judged.waiting, judged.remote_id) == ("accepted", ("company",), "id1")
    assert (judged.reason.code, judged.reason.field, judged.attempted) == ("company_unknown", "company", False)


def test_record_of_which_only_the_waiting_value_is_left_is_not_counted_as_accepted() -> None:
    known, new = waiting(()), waiting((), is_new=True)
    assert (known.outcome, known.accepted, known.waiting) == ("skipped", None, ("company",))
    assert (new.outcome, new.waiting) == ("matched", ("company",)), "it was compared, and holds everything else"


def test_links_of_a_record_that_was_created_without_an_answer_are_sent_once_more() -> None:
    """The worker may have died between the request for the record and that for its link."""
    links = replace(sending(Mode.INSERT, Step.FIND), links=("company",))
    found = judgement.found(links, ID1, created_by_us=True)
    assert (found.outcome, found.remote_id, found.difference) == ("", "id1", Difference(("company",)))
    exists = judgement.written(
        replace(sending(Mode.INSERT, Step.CREATE, unanswered=True), links=("company",)),
        Outcome(Result.EXISTS, "id1"),
    )
    assert (exists.outcome, exists.remote_id, exists.difference) == ("", "id1", Difference(("company",)))


@pytest.mark.parametrize("code", NEVER_SENT)
def test_change_that_was_sent_in_part_is_ambiguous_even_if_its_last_request_was_not_sent(code: str) -> None:
    problem = no_answer(code, ambiguous=True)
    judged = judgement.unanswered(sending(Mode.INSERT, Step.CREATE), problem, stopping=True, chance=CHANCE)
    assert (judged.outcome, judged.progress.ambiguous, judged.progress.unanswered) == ("", True, True)
