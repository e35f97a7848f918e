"""Makes hidden records visible: the last stage of a run, once all of its changes are settled.

    take a chunk of hidden records that are due, and read their people from the source
    → sender threads: wait for the rate limiter, search, attach
    → this thread alone records: the result of each, counters and lease in one fenced commit

What is due is stored with the records themselves. A killed worker therefore repeats at most the requests that were in
flight, and attaching somebody twice changes nothing.
"""

from __future__ import annotations

import queue
import random
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.utils import timezone

from activations.attaching import people
from activations.attaching.recorder import Answer, Recorder, Task
from activations.delivery import places, retry
from activations.delivery.deliver import CANCEL_SECONDS, LOOK_SECONDS, Slice
from activations.delivery.ending import Ending
from activations.models import AttachContacts
from activations.runs import stopping
from activations.runs.lease import Cancelled
from activations.storage import hidden_records
from core.errors import Problem, Unavailable
from core.failpoints import reach
from core.logs import in_thread
from destinations.contract import Purpose
from segments.sources import watch

if TYPE_CHECKING:
    from datetime import datetime

    from activations.models import HiddenRecord
    from activations.runs.lease import Lease
    from activations.vendor_session import Context
    from destinations.contract import Candidate

CHUNK = 200
"""How many records are taken together, which bounds the memory."""


def setting_of(context: Context) -> AttachContacts | None:
    """What the run attaches; None if it attaches nothing."""
    if context.run.dry_run or context.service.reveals is None:
        return None
    return AttachContacts.objects.filter(activation=context.activation).select_related("model__source").first()


@dataclass
class Attaching:
    """One slice of the stage on this worker."""

    context: Context
    lease: Lease
    setting: AttachContacts
    until: float
    answers: queue.Queue[Answer] = field(default_factory=queue.Queue)
    ending: Ending = field(default_factory=Ending)
    last_pk: int = 0
    checked_at: float = 0.0
    cancelled: bool = False
    finished: bool = False

    def __post_init__(self) -> None:
        self.places = places.Places(self.context.service.limits.writes)
        self.recorder = Recorder(self.context, self.lease)
        self.chance = random.Random()  # noqa: S311

    def run(self) -> Slice:
        """Works until nothing is due, the time is over, a person cancels, or the run can't continue.

        Raises:
            Problem: the people can't be read from the source.
            Lost: a different worker has claimed the run.
            BaseException: a defect of ours.
        """
        self.context.pacer.reopen()
        with ThreadPoolExecutor(places.MOST_PLACES, "attaching", initializer=in_thread()) as pool:
            try:
                while not self._should_stop() and not self.finished:
                    self._work_on(pool, self._take())
            finally:
                self.context.pacer.close()
        if self.ending.defect is not None:
            raise self.ending.defect
        return Slice(self.finished, self.cancelled, self.ending.problem)

    def _should_stop(self) -> bool:
        now = time.monotonic()
        if now - self.checked_at > CANCEL_SECONDS:
            self.checked_at = now
            self.cancelled = self.lease.is_cancelled()
        return self.cancelled or self.ending.is_due or now > self.until or stopping.is_requested()

    def _take(self) -> deque[Task]:
        """The next chunk of hidden records that are due, with their people. Without any, the stage is finished."""
        now = timezone.now()
        due = hidden_records.due(self.context.run, now).filter(pk__gt=self.last_pk).order_by("pk")
        records = list(due[:CHUNK])
        self.finished = not records
        if self.finished:
            return deque()
        self.last_pk = records[-1].pk
        with watch.watched(self.setting.model.source):
            found = people.candidates(self.setting, self.context.service, records, now=now, check=self._check_cancelled)
        return deque(self._task(record, found) for record in records)

    def _check_cancelled(self) -> None:
        stopping.check()
        if self._should_stop() and self.cancelled:
            raise Cancelled

    def _task(self, record: HiddenRecord, found: dict[int, list[Candidate]]) -> Task:
        return Task(record, found[record.key_digest], record.reported_run == self.context.run.number)

    def _work_on(self, pool: ThreadPoolExecutor, todo: deque[Task]) -> None:
        """Works on a chunk until all of it is recorded. If the run has to stop, what is in flight is still recorded."""
        while todo or self.places.taken:
            if self._should_stop():
                todo.clear()
                self.context.pacer.close()
            self._hand_out(pool, todo)
            todo.extend(self._record(places.arrived(self.answers, LOOK_SECONDS)))

    def _hand_out(self, pool: ThreadPoolExecutor, todo: deque[Task]) -> None:
        waiting: list[Task] = []
        now = time.monotonic()
        while todo and self.places.free > 0:
            task = todo.popleft()
            if task.not_before > now:
                waiting.append(task)
                continue
            self.places.taken += 1
            task.handed_out_at = now
            pool.submit(self._send, task)
        todo.extend(waiting)

    def _send(self, task: Task) -> None:
        """In a sender thread. Never raises: any exception becomes part of the answer."""
        answer = Answer(task)
        self.context.pacer.forget_waits()
        try:
            if task.candidates:
                reach("before_attach")
                answer.revealed = self.context.service.reveal(
                    self.context.client,
                    task.record.remote_id,
                    task.candidates,
                    self.setting.at_most,
                    is_hidden=task.is_hidden,
                )
        except Problem as problem:
            answer.problem = problem
        except BaseException as defect:
            answer.defect = defect
        answer.waited_seconds = self.context.pacer.waited_seconds()
        self.answers.put(answer)

    def _record(self, answers: list[Answer]) -> list[Task]:
        """Records the answers, then frees their places. Returns the tasks that have to be sent again."""
        now = timezone.now()
        again = [answer.task for answer in answers if self._is_to_repeat(answer, now)]
        self.recorder.record([answer for answer in answers if answer.is_settled], now)
        for answer in answers:
            self.places.observe(time.monotonic() - answer.task.handed_out_at - answer.waited_seconds)
            self.places.taken -= 1
        return again

    def _is_to_repeat(self, answer: Answer, now: datetime) -> bool:
        """Takes in what an answer says about the run. Returns whether its task is sent again in it."""
        if answer.defect is not None:
            self.ending.defect = self.ending.defect or answer.defect
            return False
        if isinstance(answer.problem, Unavailable):
            answer.problem = retry.with_one_wait(answer.problem, now)
        self.ending.observe([answer.problem])
        problem = answer.problem
        if not isinstance(problem, Unavailable) or problem.code in retry.NEVER_SENT:
            return False
        following = retry.after(problem, answer.task.attempts, stopping=self.ending.is_due, chance=self.chance)
        if following.pause_seconds:
            self.recorder.throttled += 1
            self.context.pacer.pause(Purpose.WRITE, following.pause_seconds)
        answer.task.attempts += following.attempted
        answer.task.not_before = time.monotonic() + following.wait_seconds
        answer.given_up = following.given_up
        return not following.given_up and not self.ending.is_due
