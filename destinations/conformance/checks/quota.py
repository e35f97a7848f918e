"""Rate limits: what the gate learns is what the vendor reports, and every kind of request has its purpose."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from core.errors import Unavailable
from destinations.conformance.check import check, require
from destinations.conformance.expectations import expect
from destinations.contract import Purpose

if TYPE_CHECKING:
    from destinations.conformance.subject import Subject

MOST_REQUESTS = 60
LONGEST_WINDOW_SECONDS = 3600


@check
def credential_check_returns_the_workspace(subject: Subject) -> None:
    workspace = subject.service.platform.check(subject.client)
    expect(workspace.id and workspace.name, "Platform.check() must return the ID and the name of the vendor's account.")
    expect(subject.requests, "Platform.check() sent no request, so it can't know whether the credential works.")
    expect(
        set(subject.gate.purposes()) == {Purpose.DISCOVERY}, "Platform.check() waits for the purpose discovery only."
    )


@check
def discovery_waits_for_its_own_purpose(subject: Subject) -> None:
    subject.discovered()
    expect(set(subject.gate.purposes()) == {Purpose.DISCOVERY}, "fields() waits for the purpose discovery only.")


@check
def estimated_limits_are_usable(subject: Subject) -> None:
    limits = subject.service.limits
    expect(limits.reads > 0 and limits.writes > 0, "limits.reads and limits.writes are requests per second, above 0.")
    expect(limits.find_batch >= 1 and limits.write_batch >= 1, "A batch holds at least one record.")


@check
def learned_quota_never_exceeds_what_remains(subject: Subject) -> None:
    """Sends until the vendor throttles. What was learned before must not have promised more requests."""
    require(subject.sandbox.quota_headers, "the vendor reports no quota")
    expect(
        subject.sample.limited,
        "The simulator has `quota_headers`, so the sample needs `limited`: switches for a limit of a few requests.",
    )
    subject.switch(subject.sample.limited)
    subject.gate.clear()
    problem = _until_throttled(subject)
    allowed = subject.requests - 1
    for learned in subject.gate.learned:
        expect(
            learned.quota.remaining <= max(0, allowed - learned.received),
            f"The vendor throttled request {allowed + 1}, but after request {learned.received} the gate learned that "
            f"{learned.quota.remaining} more remain.",
        )
        ends_in = learned.quota.reset_at - datetime.now(UTC)
        expect(
            timedelta(seconds=-5) <= ends_in <= timedelta(seconds=LONGEST_WINDOW_SECONDS),
            f"Quota.reset_at is {ends_in.total_seconds():.0f} seconds from now. It is a time, in the vendor's window.",
        )
    expect(
        any(learned.quota.remaining for learned in subject.gate.learned),
        "gate.learn was told that no request remains although some did. Check Quota.remaining.",
    )
    expect(
        problem.throttled and not problem.ambiguous and problem.not_before is None,
        f"A request above the vendor's short limit raised Unavailable with {vars(problem)}. Set throttled=True.",
    )


def _until_throttled(subject: Subject) -> Unavailable:
    for _ in range(MOST_REQUESTS):
        try:
            subject.find(subject.identity(1))
        except Unavailable as problem:
            return problem
    raise AssertionError(
        f"With the switches in the sample's `limited`, {MOST_REQUESTS} lookups were not throttled. Lower the limit."
    )
