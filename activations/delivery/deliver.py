"""Delivering: takes pending changes, writes them through the service, and records what became of each.

    take a chunk, marked "sending" in one commit
    → sender threads: wait for the pace, look up or write, hand the answer back
    → this thread alone records: outcome, baseline, counters and lease in one fenced commit
    → only then is the place of those requests free for others

So a killed worker can at most repeat the requests that were in flight, and nothing is recorded that was not accepted.
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

from activations.delivery.recorder import Recorder
from activations.delivery.sender import Sender
from activations.delivery.steps import Item, Job, Progress, Sent, jobs
from activations.models import Change, Run
from activations.storage import bundles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from activations.runs.lease import Lease
    from activations.vendor_session import Context
    from core.errors import Misconfigured, Unavailable

CHUNK = 500
FIRST_PLACES = 4
MOST_PLACES = 128
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
class Places:
    """How many requests may be in flight: the allowed rate × the observed latency × 1.5.

    Latency is all the time a place is taken but for waiting for a turn: until the answer is recorded.
    """

    rate: float
    latency: float = 0.1
    taken: int = 0

    @property
    def free(self) -> int:
        return max(FIRST_PLACES, min(MOST_PLACES, int(self.rate * self.latency * 1.5) + 1)) - self.taken

    def observe(self, seconds: float) -> None:
        self.latency += (seconds - self.latency) * 0.1


@dataclass
class Delivery:
    """One slice of one run on this worker."""

    context: Context
    lease: Lease
    until: float
    todo: deque[Job] = field(default_factory=deque)
    answers: queue.Queue[Sent] = field(default_factory=queue.Queue)
    busy: set[str] = field(default_factory=set)
    looked_at: float = 0.0
    asked_to_stop: bool = False
    exhausted: bool = False

    def __post_init__(self) -> None:
        self.mode = self.context.activation.mode
        self.limits = self.context.service.limits
        self.reads_first = self.context.service.reads_first([field.target for field in self.context.run.mapped_fields])
        self.places = Places(self.limits.writes)
        self.sender = Sender(self.context, self.answers)
        self.recorder = Recorder(self.context, self.lease)
        self._take(Change.State.SENDING)

    def run(self) -> Slice:
        """Delivers until nothing is left, the time is over, a person cancels, or nothing can go on.

        Raises:
            Lost: another worker holds the run now.
        """
        with ThreadPoolExecutor(MOST_PLACES, thread_name_prefix="sender") as pool:
            try:
                while not self._should_stop() and (self._fill() or self.places.taken):
                    self._hand_out(pool)
                    self._record(self._collect())
                if not self.asked_to_stop and self.recorder.problem is None:
                    # What is in flight has its turns, or ends by itself.
                    self._drain()
            finally:
                self.context.pacer.close()
            self._drain()
        return self._ended()

    def _should_stop(self) -> bool:
        now = time.monotonic()
        if now - self.looked_at > CANCEL_SECONDS:
            self.looked_at = now
            self.lease.renew()
            self.asked_to_stop = Run.objects.values_list("cancel_requested", flat=True).get(pk=self.context.run.pk)
        return self.asked_to_stop or self.recorder.problem is not None or (now > self.until and self._wound_down(now))

    def _wound_down(self, now: float) -> bool:
        """When the time is over, turns that were taken are used, for a moment: nobody else could."""
        return not self.context.pacer.wind_down() or now > self.until + WIND_DOWN_SECONDS

    def _fill(self) -> bool:
        """Takes the next changes where few are left to hand out; whether there is anything to do."""
        if not self.exhausted and len(self.todo) < max(self.places.free, FIRST_PLACES):
            self.exhausted = not (self._take(Change.State.PENDING) or self._unpack())
        return bool(self.todo)

    def _unpack(self) -> bool:
        """Unpacks the next bundle of what was planned, and takes from it."""
        return bool(bundles.unpack_next(self.context.run, self.lease)) and self._take(Change.State.PENDING)

    def _take(self, state: str) -> bool:
        """Takes a chunk and marks it "sending" in one commit; whether there was any.

        What is marked already was taken by a worker that is gone: it may have been sent, and stays in doubt until it is accepted.
        """
        chunk = list(Change.objects.filter(run=self.context.run, state=state).order_by("pk")[:CHUNK])
        now = timezone.now()
        for change in chunk:
            change.first_attempt_at = change.first_attempt_at or now
        with self.lease.fenced():
            marked = Change.objects.filter(pk__in=[change.pk for change in chunk])
            marked.update(state=Change.State.SENDING, first_attempt_at=Coalesce("first_attempt_at", Value(now)))
        taken_before = state == Change.State.SENDING
        self.todo.extend(self._jobs([Item(change, Progress(ambiguous=taken_before)) for change in chunk]))
        return bool(chunk)

    def _jobs(self, items: Sequence[Item]) -> list[Job]:
        return jobs(self.mode, items, self.limits.find_batch, self.reads_first)

    def _hand_out(self, pool: ThreadPoolExecutor) -> None:
        """Gives jobs to free places; never two of one match value at once."""
        waiting: list[Job] = []
        now = time.monotonic()
        while self.todo and self.places.free > 0:
            job = self.todo.popleft()
            if job.identities & self.busy or job.not_before > now:
                waiting.append(job)
                continue
            self.busy |= job.identities
            self.places.taken += 1
            job.handed_out_at = now
            pool.submit(self.sender.send, job)
        self.todo.extend(waiting)

    def _collect(self) -> list[Sent]:
        """Whatever answers wait; where none does, the first one, or none after a moment."""
        found: list[Sent] = []
        try:
            found.append(self.answers.get(timeout=LOOK_SECONDS if self.places.taken else IDLE_SECONDS))
            while True:
                found.append(self.answers.get_nowait())
        except queue.Empty:
            return found

    def _record(self, answers: list[Sent]) -> None:
        """Commits the answers, then frees their places; what needs another step goes back to be handed out."""
        if not answers:
            return
        again = self.recorder.record(answers, timezone.now())
        now = time.monotonic()
        for answer in answers:
            self.places.observe(now - answer.job.handed_out_at - answer.waited_seconds)
            self.places.taken -= 1
            self.busy -= answer.job.identities
        self.todo.extend(self._jobs(again))

    def _drain(self) -> None:
        """Waits for what is in flight and records it: those requests have left, and their answers count."""
        while self.places.taken:
            self._record(self._collect())

    def _ended(self) -> Slice:
        self.recorder.put_back([item for job in self.todo for item in job.items])
        run = self.context.run
        left = run.changes.exclude(state=Change.State.SETTLED).exists() or run.bundles.exists()
        return Slice(finished=not left, cancelled=self.asked_to_stop, problem=self.recorder.problem)
