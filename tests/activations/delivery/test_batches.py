"""A vendor that takes several records in a request: grouped, judged one by one, and halved if refused as a whole."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activations import digests
from activations.delivery import deliver, places
from activations.delivery.ending import Ending
from activations.delivery.retry import Breaker
from activations.delivery.sender import Sender
from activations.delivery.steps import Item, Job, Progress, Step, jobs, next_step
from activations.models import Change, Run
from core.errors import Problem, Rejected, Unavailable
from destinations.contract import Limits, Operation, Outcome, Result
from tests.activations.vendor import (
    KILLED_AFTER,
    KILLED_BEFORE,
    LOST_AFTER,
    THROTTLED,
    AllOrNothing,
    Batching,
    Client,
    Killed,
    Movable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.activations.memory_story import Story

pytestmark = pytest.mark.django_db(transaction=True)


class Looping(Movable):
    """Declares batches, but writes one record at a time."""

    slug = "memory.looping"
    limits = replace(Movable.limits, write_batch=3)


class Miscounting(Batching):
    """Loses count of its answers: the wrong number, or something that is no answer."""

    slug = "memory.miscounting"
    returns: Any = ()

    def write_all(self, client: Client, operations: Sequence[Operation]) -> Sequence[Outcome | Problem]:
        if any(operation.match_value == "m2" for operation in operations):
            return self.returns
        return super().write_all(client, operations)


def rows(*numbers: int, x: str = "A") -> list[tuple[str, str, str, str]]:
    return [(str(number), f"m{number}", x, "B") for number in numbers]


def test_records_are_sent_in_batches_and_counted_by_request(begin: Callable[[type[Movable]], Story]) -> None:
    story = begin(Batching)
    story.rows(*rows(*range(7)))
    done = story.run()
    assert sorted(story.vendor.batches) == [1, 3, 3]
    assert (done.state, done.accepted, done.write_requests) == ("succeeded", 7, 3)
    assert len(story.vendor.records) == 7
    story.vendor.batches.clear()
    assert story.run().write_requests == 0
    assert story.vendor.batches == []


def test_batches_are_full_although_new_and_known_records_take_turns(
    begin: Callable[[type[Movable]], Story], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Batching, "limits", replace(Batching.limits, write_batch=20, find_batch=20))
    monkeypatch.setattr(deliver, "CHUNK", 90)
    monkeypatch.setattr(deliver, "CHUNK_REQUESTS", 4)
    story = begin(Batching)
    story.activation.hold_change_percent = story.activation.hold_size_percent = None
    story.activation.save()
    story.rows(*rows(*range(0, 1000, 2)))
    story.run()
    story.vendor.batches.clear()
    story.rows(*rows(*range(1000), x="B"))
    assert story.run().accepted == 1000
    assert len(story.vendor.batches) <= 52


def test_batches_are_full_although_every_record_is_looked_up_first(
    begin: Callable[[type[Movable]], Story], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Batching, "limits", replace(Batching.limits, write_batch=20, find_batch=7))
    story = begin(Batching)
    story.activation.mode = "insert"
    story.activation.save()
    story.rows(*rows(*range(200)))
    assert story.run().accepted == 200
    assert len(story.vendor.batches) <= 12


def test_batch_that_is_refused_whole_is_halved_until_the_refused_record_is_alone(
    begin: Callable[[type[Movable]], Story], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AllOrNothing, "limits", replace(AllOrNothing.limits, write_batch=16))
    story = begin(AllOrNothing)
    story.vendor.rejected = {"no"}
    story.rows(*rows(*range(5)), *rows(5, x="no"), *rows(*range(6, 16)))
    done = story.run()
    assert (done.accepted, done.rejected, done.state) == (15, 1, "completed_with_warnings")
    assert done.changes.get(outcome="rejected").match_value == "m5"
    assert sorted(story.vendor.batches, reverse=True) == [16, 8, 8, 4, 4, 2, 2, 1, 1]
    assert not Change.objects.exclude(attempts=0).exclude(outcome="rejected").exists()


def test_record_refused_in_a_batch_leaves_the_others_alone(begin: Callable[[type[Movable]], Story]) -> None:
    story = begin(Batching)
    story.vendor.rejected = {"no"}
    story.rows(*rows(0), *rows(1, x="no"), *rows(2))
    done = story.run()
    assert (done.accepted, done.rejected, done.write_requests) == (2, 1, 1)


def test_throttled_batch_counts_once(begin: Callable[[type[Movable]], Story]) -> None:
    story = begin(Batching)
    story.vendor.faults = {"m1": [THROTTLED]}
    story.rows(*rows(0, 1, 2))
    done = story.run()
    assert (done.accepted, done.throttled, done.write_requests) == (3, 1, 2)


def test_batch_without_an_answer_is_repeated_and_creates_nothing_twice(
    begin: Callable[[type[Movable]], Story],
) -> None:
    story = begin(Batching)
    story.vendor.faults = {"m1": [LOST_AFTER]}
    story.rows(*rows(0, 1, 2))
    assert story.run().accepted == 3
    assert (story.vendor.batches, len(story.vendor.records)) == ([3, 3], 3)


@pytest.mark.parametrize("kind", [KILLED_BEFORE, KILLED_AFTER])
def test_kill_repeats_at_most_the_batches_in_flight(
    begin: Callable[[type[Movable]], Story], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(places, "FIRST_PLACES", 1)
    monkeypatch.setattr(places, "MOST_PLACES", 1)
    story = begin(Batching)
    story.vendor.faults = {"m4": [kind]}
    story.rows(*rows(*range(9)))
    run_id = story.run_until_killed()
    assert story.resume(run_id).accepted == 9
    assert len(story.vendor.requests) <= 9 + 3
    assert len(story.vendor.records) == 9


@pytest.mark.parametrize(
    "returns",
    [[], [Outcome(Result.ACCEPTED, "r1")], [Outcome(Result.ACCEPTED, "r1")] * 4, [None] * 3, None],
    ids=["none", "fewer", "more", "nothing", "no list"],
)
def test_wrong_number_of_answers_is_a_defect_and_none_of_them_counts(
    begin: Callable[[type[Movable]], Story], monkeypatch: pytest.MonkeyPatch, returns: Any
) -> None:
    monkeypatch.setattr(Miscounting, "returns", returns)
    story = begin(Miscounting)
    story.rows(*rows(*range(9)))
    with pytest.raises((TypeError, ValueError)):
        story.run()
    failed = Run.objects.get()
    assert (failed.state, failed.error_code) == ("failed", "defect")
    outcomes = dict(failed.changes.values_list("match_value", "outcome"))
    assert [outcomes[f"m{number}"] for number in range(3)] == ["unknown"] * 3
    assert failed.accepted == len(story.vendor.records)
    assert failed.accepted + failed.unknown + failed.not_sent == 9
    monkeypatch.setattr(Miscounting, "write_all", Batching.write_all)
    assert story.run().accepted == 9 - failed.accepted
    assert len(story.vendor.records) == 9


def test_service_without_its_own_write_all_writes_one_record_at_a_time(
    begin: Callable[[type[Movable]], Story],
) -> None:
    story = begin(Looping)
    story.vendor.rejected = {"no"}
    story.rows(*rows(0), *rows(1, x="no"), *rows(2))
    done = story.run()
    assert (done.accepted, done.rejected, done.write_requests) == (2, 1, 3)
    assert story.vendor.batches == [1, 1, 1]


def test_worker_that_dies_in_a_batch_is_not_taken_for_a_defect(begin: Callable[[type[Movable]], Story]) -> None:
    story = begin(Batching)
    story.vendor.faults = {"m1": [KILLED_AFTER]}
    story.rows(*rows(0, 1, 2))
    with pytest.raises(Killed):
        story.run()
    assert Run.objects.get().is_live


def test_move_is_not_sent_while_its_former_match_value_is_in_flight(
    begin: Callable[[type[Movable]], Story], monkeypatch: pytest.MonkeyPatch
) -> None:
    story = begin(Batching)
    story.rows(*rows(0, 1, 2))
    story.run()
    story.rows(("0", "m9", "A", "B"), *rows(1, 2, x="B"))
    jobs_sent: list[Job] = []
    monkeypatch.setattr(Sender, "send", _noting(jobs_sent, Sender.send))
    assert story.run().accepted == 3
    (move,) = (job for job in jobs_sent for item in job.items if item.change.key == "0")
    assert {digests.of_text("m0"), digests.of_text("m9")} <= move.matches


def _noting(jobs_sent: list[Job], send: Any) -> Callable[[Sender, Job], None]:
    def noted(sender: Sender, job: Job) -> None:
        jobs_sent.append(job)
        send(sender, job)

    return noted


# Pure rules


def test_two_moves_of_one_match_value_never_share_a_batch() -> None:
    def move(former: str, new: str) -> Item:
        change = Change(match_identity=new, remote_id=f"id of {former}")
        return Item(change, former_match=digests.of_text(former))

    def batches(*items: Item) -> list[list[str]]:
        grouped = jobs("upsert", items, Limits(1, 1, write_batch=9))
        return [[item.change.match_identity for item in job.items] for job in grouped]

    assert batches(move("a", "b"), move("b", "a")) == [["b"], ["a"]]
    assert batches(move("a", "b"), move("c", "a"), move("d", "e")) == [["b", "e"], ["a"]]
    assert batches(move("a", "b"), move("c", "d")) == [["b", "d"]]


def test_failures_count_by_request() -> None:
    down = Unavailable("timeout", "No answer.")
    ending = Ending(breaker=Breaker(at_most=2))
    ending.observe([down] * 100)
    assert ending.problem is None
    ending.observe([down] * 100)
    assert ending.problem is down


def test_one_answered_record_shows_that_the_vendor_is_up() -> None:
    down = Unavailable("timeout", "No answer.")
    breaker = Breaker(failures=5)
    assert breaker.after([down, None]).failures == 0
    assert breaker.after([down, Rejected("bad", "Bad.")]).failures == 0
    assert breaker.after([down, down]).failures == 6


def item(identity: str, remote_id: str, waits: bool, part: str, looked_up: bool) -> Item:
    change = Change(match_identity=identity, remote_id=remote_id, lookup_first=False)
    return Item(change, Progress(looked_up=looked_up), 1.0 if waits else 0.0, part)


ITEMS = st.lists(
    st.builds(
        item,
        st.sampled_from("abcdefgh"),
        st.sampled_from(["", "", "r1", "r2", "r3"]),
        st.booleans(),
        st.sampled_from(["", "", "1a", "1b"]),
        st.booleans(),
    ),
    max_size=40,
)


@given(ITEMS, st.sampled_from(["upsert", "update", "insert"]), st.integers(1, 5), st.integers(1, 5))
def test_jobs_hold_every_change_once_and_no_match_value_twice(
    items: list[Item], mode: str, find_batch: int, write_batch: int
) -> None:
    grouped = jobs(mode, items, Limits(1, 1, find_batch=find_batch, write_batch=write_batch))
    assert sorted(id(item) for job in grouped for item in job.items) == sorted(map(id, items))
    for job in grouped:
        assert 1 <= len(job.items) <= (find_batch if job.step == Step.FIND else write_batch)
        assert {next_step(mode, item.change, item.progress.looked_up) for item in job.items} == {job.step}
        if job.step != Step.FIND:
            assert len({item.change.match_identity for item in job.items}) == len(job.items)
            ids = [item.change.remote_id for item in job.items if item.change.remote_id]
            assert len(set(ids)) == len(ids)
            assert len({(item.part, item.not_before > 0) for item in job.items}) == 1


@given(ITEMS, st.sampled_from(["upsert", "update", "insert"]))
def test_writes_keep_their_order_if_each_takes_a_request(items: list[Item], mode: str) -> None:
    grouped = jobs(mode, items, Limits(1, 1, find_batch=3))
    writes = [job.items[0] for job in grouped if job.step != Step.FIND]
    assert writes == [each for each in items if next_step(mode, each.change, each.progress.looked_up) != Step.FIND]


@given(st.integers(2, 100))
def test_halves_hold_every_record_once(number: int) -> None:
    limits = Limits(1, 1, write_batch=100)
    (job,) = jobs("upsert", [item(str(n), "", False, "", False) for n in range(number)], limits)
    first, second = jobs("upsert", job.halves(1), limits)
    assert {*first.items, *second.items} == set(job.items)
    assert abs(len(first.items) - len(second.items)) <= 1
    assert not first.can_grow(limits)
