"""Delivers pending changes: sends them through the service, and records the outcome of each.

    take a chunk, marked "sending" in one commit
    → sender threads: wait for the rate limiter, look up or write, hand back the answer
    → this thread alone records: outcome, baseline, counters and lease in one fenced commit
    → only then are the places of those requests free for others

A killed worker therefore repeats at most the requests that were in flight, and nothing is recorded that was not
accepted.

A live dry run goes the same way, and looks every change up instead of writing it: see `forecast`.
"""

from __future__ import annotations

import queue
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db.models import Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from activations.delivery import compare, places
from activations.delivery.drift.check import recorder_of
from activations.delivery.forecast import EVERYTHING
from activations.delivery.sender import Sender
from activations.delivery.steps import Item, Job, Progress, Sent, Step, jobs
from activations.models import Change
from activations.runs import stopping
from activations.storage import bundles
from activations.storage.baseline import former_matches
from core.logs import in_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from activations.runs.lease import Lease
    from activations.vendor_session import Context
    from core.errors import Misconfigured, Unavailable

CHUNK = 500
"""The fewest changes that are taken together. With batches, it is at least `CHUNK_REQUESTS` full ones."""
CHUNK_REQUESTS = 20
MOST_CHANGES = 5000
"""The most changes that are taken together, which bounds the memory."""
MOST_LOOKUPS = 4
"""How many batches of lookups are in flight at most. Each answer has all values of hundreds of records."""
LOOK_SECONDS = 0.5
IDLE_SECONDS = 0.05
CANCEL_SECONDS = 2.0
WIND_DOWN_SECONDS = 1.0


@dataclass
class Slice:
    """How one slice of delivering ended."""

    finished: bool = False
    cancelled: bool = False
    problem: Misconfigured | Unavailable | None = None


@dataclass
class Delivery:
    """One slice of one run on this worker."""

    context: Context
    lease: Lease
    until: float
    todo: deque[Job] = field(default_factory=deque)
    answers: queue.Queue[Sent] = field(default_factory=queue.Queue)
    busy: set[int] = field(default_factory=set)
    lookups: int = 0
    checked_at: float = 0.0
    cancelled: bool = False
    exhausted: bool = False

    def __post_init__(self) -> None:
        self.mode = self.context.activation.mode
        self.limits = self.context.service.limits
        self.sender = Sender(self.context, self.answers)
        self.dry_run = self.context.run.dry_run
        self.reads = EVERYTHING if self.dry_run else compare.reads(self.context)
        self.recorder = recorder_of(self.context.run)(self.context, self.lease)
        self.places = places.Places(self.limits.reads if self.dry_run else self.limits.writes)
        self._take(Change.State.SENDING)

    def run(self) -> Slice:
        """Delivers until nothing is left, the time is over, a person cancels, or the run can't continue.

        Raises:
            Lost: a different worker has claimed the run.
            BaseException: a defect of ours. The answers that had arrived by then are recorded.
        """
        with ThreadPoolExecutor(places.MOST_PLACES, "sender", initializer=in_thread()) as pool:
            try:
                while not self._should_stop() and (self._fill() or self.places.taken):
                    self._hand_out(pool)
                    self._record(self._collect())
                if not self.cancelled and not self.recorder.ending.is_due and not stopping.is_requested():
                    # Requests in flight have the rate limiter's permission, or soon end without it.
                    self._drain()
            finally:
                self.context.pacer.close()
            self._drain()
        if self.recorder.ending.defect is not None:
            raise self.recorder.ending.defect
        return self._result()

    def _should_stop(self) -> bool:
        now = time.monotonic()
        if now - self.checked_at > CANCEL_SECONDS:
            self.checked_at = now
            self.cancelled = self.lease.is_cancelled()
        if stopping.is_requested():
            self.until = min(self.until, now)
        return self.cancelled or self.recorder.ending.is_due or (now > self.until and self._is_wound_down(now))

    def _is_wound_down(self, now: float) -> bool:
        """Whether the slice can end: permissions that the rate limiter has already granted are used up first, briefly.

        No other worker could use them. See `WIND_DOWN_SECONDS` for the limit.
        """
        return not self.context.pacer.wind_down() or now > self.until + WIND_DOWN_SECONDS

    def _fill(self) -> bool:
        """Takes the next changes while few are left to hand out. Returns whether there is anything to do."""
        while not self.exhausted and self._ready() < max(self.places.free, places.FIRST_PLACES) and self._may_take():
            self.exhausted = not (self._take(Change.State.PENDING) or self._unpack())
        return bool(self.todo)

    def _may_take(self) -> bool:
        return sum(len(job.items) for job in self.todo) < MOST_CHANGES

    def _ready(self) -> int:
        """How many jobs can be handed out. A batch that is not full waits for more changes if there are any."""
        return sum(not job.can_grow(self.limits) for job in self.todo)

    def _unpack(self) -> bool:
        """Unpacks the next bundle of planned changes, and takes a chunk of them."""
        return bool(bundles.unpack_next(self.context.run, self.lease)) and self._take(Change.State.PENDING)

    def _take(self, state: str) -> bool:
        """Takes a chunk and marks it "sending" in one commit. Returns whether there were any changes.

        Changes that are already marked were taken by a worker that has died. They may have been sent, so they stay
        ambiguous until they are accepted.
        """
        number = max(CHUNK, min(MOST_CHANGES, CHUNK_REQUESTS * self.limits.write_batch))
        chunk = list(Change.objects.filter(run=self.context.run, state=state).order_by("pk")[:number])
        now = timezone.now()
        for change in chunk:
            change.first_attempt_at = change.first_attempt_at or now
            self.reads.hold_back(change)
        with self.lease.fenced():
            marked = Change.objects.filter(pk__in=[change.pk for change in chunk])
            marked.update(state=Change.State.SENDING, first_attempt_at=Coalesce("first_attempt_at", Value(now)))
        taken_before = state == Change.State.SENDING and not self.dry_run
        former = former_matches(self.recorder.generation_id, chunk, self.sender.match_name)
        self._add(
            [
                Item(
                    change,
                    Progress(ambiguous=taken_before, resumed=taken_before),
                    former_match=former.get(change.key_digest, 0),
                )
                for change in chunk
            ]
        )
        return bool(chunk)

    def _add(self, items: Sequence[Item]) -> None:
        """Groups these items and those of batches that are not full into jobs."""
        growing = [job for job in self.todo if job.can_grow(self.limits)]
        if growing:
            self.todo = deque(job for job in self.todo if job not in growing)
        grown = [item for job in growing for item in job.items]
        self.todo.extend(jobs(self.mode, [*grown, *items], self.limits, self.reads))

    def _hand_out(self, pool: ThreadPoolExecutor) -> None:
        """Hands out jobs while places are free, but never two with the same match value at the same time.

        Two requests for one record could reach the vendor in either order, and both could create it. A match value that
        a record gives up counts as well.
        """
        waiting: list[Job] = []
        now = time.monotonic()
        while self.todo and self.places.free > 0:
            job = self.todo.popleft()
            if job.matches & self.busy or job.not_before > now or self._should_grow(job) or self._must_queue(job):
                waiting.append(job)
                continue
            self.busy |= job.matches
            self.places.taken += 1
            self.lookups += job.step == Step.FIND
            job.handed_out_at = now
            pool.submit(self.sender.send, job)
        self.todo.extend(waiting)

    def _must_queue(self, job: Job) -> bool:
        """Whether a batch of lookups waits for the others: their answers are large."""
        return job.step == Step.FIND and self.limits.find_batch > 1 and self.lookups >= MOST_LOOKUPS

    def _should_grow(self, job: Job) -> bool:
        """Whether a batch that is not full waits for more changes: those not taken yet, and those being looked up."""
        if not job.can_grow(self.limits) or not self.places.taken:
            return False
        if not self.exhausted or job.step == Step.FIND:
            return not self.exhausted
        return self.lookups > 0 or any(other.step == Step.FIND for other in self.todo)

    def _collect(self) -> list[Sent]:
        """The answers that have arrived. If there are none, waits briefly for the first."""
        return places.arrived(self.answers, LOOK_SECONDS if self.places.taken else IDLE_SECONDS)

    def _record(self, answers: list[Sent]) -> None:
        """Commits the answers, then frees their places. Items that need another step are handed out again."""
        if not answers:
            return
        unfinished = self.recorder.record(answers, timezone.now())
        now = time.monotonic()
        for answer in answers:
            if answer.job.step != Step.NONE:
                self.places.observe(now - answer.job.handed_out_at - answer.waited_seconds)
            self.places.taken -= 1
            self.lookups -= answer.job.step == Step.FIND
            self.busy -= answer.job.matches
        self._add(unfinished)

    def _drain(self) -> None:
        """Waits for the requests in flight and records their answers: they have been sent, so their outcomes count."""
        while self.places.taken:
            self._record(self._collect())

    def _result(self) -> Slice:
        self.recorder.put_back([item for job in self.todo for item in job.items])
        run = self.context.run
        left = run.changes.exclude(state=Change.State.SETTLED).exists() or run.bundles.exists()
        return Slice(finished=not left, cancelled=self.cancelled, problem=self.recorder.ending.problem)
