"""A gate that records what a client tells it, in the order of the requests that its simulator receives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from destinations.conformance.expectations import expect, spelled
from destinations.contract import Purpose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from destinations.contract import Quota
    from destinations.sandbox.base import Sandbox


@dataclass(frozen=True)
class Waited:
    """A call of `wait`, the number of requests received before it, and the records at that time."""

    purpose: Purpose
    received: int
    records: str


@dataclass(frozen=True)
class Learned:
    """A call of `learn`, and the number of requests received before it."""

    purpose: Purpose
    quota: Quota
    received: int


class RecordingGate:
    """Never waits, and records every call."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.clear()

    def clear(self) -> None:
        """Starts over, together with the simulator's request log."""
        self.sandbox.log.clear()
        self.waits: list[Waited] = []
        self.learned: list[Learned] = []

    def wait(self, purpose: Purpose) -> None:
        self.waits.append(Waited(purpose, len(self.sandbox.log), self._records()))

    def answered(self, status: int | None, seconds: float) -> None:
        """What the answer took is not verified."""

    def learn(self, purpose: Purpose, quota: Quota) -> None:
        self.learned.append(Learned(purpose, quota, len(self.sandbox.log)))

    def purposes(self) -> list[Purpose]:
        return [waited.purpose for waited in self.waits]

    def verify(self) -> None:
        """Raises AssertionError unless every request passed the gate as it should.

        Exactly one `wait` precedes each request, with a purpose of WRITE if and only if the request may change records,
        and one `learn` follows if the response reports a quota.
        """
        log = list(self.sandbox.log)
        received = [waited.received for waited in self.waits]
        expect(
            received == list(range(len(log))),
            f"{len(log)} requests reached the simulator, and the client called gate.wait {len(received)} times, when "
            f"{received} requests had arrived. Call gate.wait(purpose) exactly once, right before each request: "
            f"{', '.join(_call(entry) for entry in log)}.",
        )
        after = [*(waited.records for waited in self.waits[1:]), self._records()]
        for number, (waited, entry) in enumerate(zip(self.waits, log, strict=True)):
            self._verify_purpose(waited, entry, changed=after[number] != waited.records)
            self._verify_learned(number, waited, entry)

    def _verify_purpose(self, waited: Waited, entry: dict[str, object], *, changed: bool) -> None:
        expect(
            not changed or waited.purpose is Purpose.WRITE,
            f"{_call(entry)} changed records, but waited for the purpose {waited.purpose}. Use Purpose.WRITE.",
        )
        expect(
            entry["method"] not in ("GET", "HEAD") or waited.purpose is not Purpose.WRITE,
            f"{_call(entry)} only reads, but waited for the purpose write. Use Purpose.LOOKUP or Purpose.DISCOVERY.",
        )

    def _verify_learned(self, number: int, waited: Waited, entry: dict[str, object]) -> None:
        learned = [one for one in self.learned if one.received == number + 1]
        expect(
            len(learned) == 1 or not entry["quota"],
            f"The response to {_call(entry)} reports a quota, but gate.learn was called {len(learned)} times after it. "
            "Call it once for each response that has the headers, whatever its status.",
        )
        expect(
            all(one.purpose is waited.purpose for one in learned),
            f"gate.learn after {_call(entry)} got a different purpose than gate.wait before it.",
        )

    def _records(self) -> str:
        with self.sandbox.lock:
            return "\n".join(_spelled(self.sandbox))


def _spelled(sandbox: Sandbox) -> Iterator[str]:
    for collection in sandbox.collections().values():
        yield from (spelled(collection.as_dict(record)) for record in collection.records.values())


def _call(entry: dict[str, object]) -> str:
    return f"{entry['method']} {entry['path']}"
