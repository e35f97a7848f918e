"""Why a record was, or wasn't, updated: the first sentence, for each case."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activations.screens.timeline.answers import Decision, Facts, Now, answer
from segments.conditions.verdicts import Unmet
from segments.reading.one_row import Membership

NOON = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
LATER, EVENING = NOON + timedelta(hours=2), NOON + timedelta(hours=8)
MEMBER = Now(exists=True, membership=Membership(is_member=True))
GONE = Now(exists=False)
POOR = Now(exists=True, membership=Membership(False, (Unmet("mrr is greater than 0", {"mrr": 0}),)))
BEYOND = Now(exists=True, membership=Membership(False, beyond_limit=True))
INSIDE = Now(
    exists=True,
    membership=Membership(
        False, (Unmet("country is FR", {"country": None}, "France"), Unmet("has at least 2 Orders", {}))
    ),
)
BASE = Facts(vendor="Attio", segment="Paying", now=MEMBER, compared_at=NOON)
SENT = Decision(7, "accepted", NOON, fields=("name", "mrr"))


def when(time: datetime) -> str:
    return f"{time:%H:%M}"


def refused(outcome: str, message: str = "No such option.") -> Decision:
    return Decision(7, outcome, NOON, message)


CASES: dict[str, tuple[dict[str, Any], str, str]] = {
    "updated by the last run": ({"decision": SENT}, "Up to date", "Updated in Attio on 12:00: name, mrr."),
    "created": ({"decision": replace(SENT, created=True)}, "Up to date", "Created in Attio on 12:00."),
    "unchanged since": (
        {"decision": SENT, "compared_at": LATER},
        "Up to date",
        "Up to date since 12:00. Updated in Attio then: name, mrr.",
    ),
    "sent so long ago that the run is not kept": (
        {"accepted_at": NOON},
        "Up to date",
        "Up to date since 12:00. The run that sent it then is no longer kept.",
    ),
    "rejected": ({"decision": refused("rejected")}, "Rejected", "Attio rejected it on 12:00: No such option."),
    "invalid": ({"decision": refused("invalid")}, "Can't be sent", "Could not be sent on 12:00: No such option."),
    "skipped": ({"decision": refused("skipped", "Not there.")}, "Skipped", "Skipped on 12:00: Not there."),
    "unknown": (
        {"decision": refused("unknown")},
        "Unknown",
        "Sent on 12:00, but Attio didn't answer in time: it may or may not have the new values.",
    ),
    "run ended first": (
        {"decision": refused("not_sent", "")},
        "Not sent",
        "Run 7 ended on 12:00 before the record was sent.",
    ),
    "being sent": ({"decision": replace(refused(""), live=True)}, "Being sent", "Run 7 is sending it now."),
    "not in the segment": (
        {"now": POOR, "accepted_at": NOON, "decision": SENT},
        "Not in the segment",
        "Not in the segment “Paying”, because the condition “mrr is greater than 0” is not met (mrr is 0). "
        "It was last sent on 12:00, and stays in Attio as it was then.",
    ),
    "not in a segment inside the segment": (
        {"now": INSIDE},
        "Not in the segment",
        "Not in the segment “Paying”, because the condition “country is FR” of the segment “France” is not met "
        "(country is empty), and the condition “has at least 2 Orders” is not met. It was never sent.",
    ),
    "beyond the size limit": (
        {"now": BEYOND},
        "Not in the segment",
        "Not in the segment “Paying”, because its size limit leaves the record out. It was never sent.",
    ),
    "gone from the source": (
        {"now": GONE, "accepted_at": NOON},
        "Not in the source",
        "The source has no row with this key. It was last sent on 12:00, and stays in Attio as it was then.",
    ),
    "left, and the source can't be read": (
        {"now": None, "decision": SENT, "accepted_at": NOON, "left_at": LATER},
        "Left",
        "It left the segment “Paying” by 14:00. It was last sent on 12:00, and stays in Attio as it was then.",
    ),
    "back after it had left": (
        {"decision": SENT, "accepted_at": NOON, "left_at": LATER},
        "Left",
        "It left the segment “Paying” by 14:00. It is in the segment “Paying” again, and the next run compares it.",
    ),
    "draft": (
        {"draft": True, "compared_at": None},
        "Not started",
        "Never sent, because this activation is a draft that was never started.",
    ),
    "no run yet": (
        {"compared_at": None},
        "Not sent yet",
        "Never sent, because no run of this activation has read the data yet.",
    ),
    "new since the last run": (
        {},
        "Not sent yet",
        "Never sent. It was not in the data when the last run read it on 12:00.",
    ),
    "refused so long ago that the run is not kept": (
        {"tried": "rejected"},
        "Not sent",
        "An earlier run rejected it. It is no longer kept, so the reason is unknown.",
    ),
}


@pytest.mark.parametrize(("facts", "label", "sentence"), CASES.values(), ids=CASES)
def test_first_sentence_is_the_reason(facts: dict[str, Any], label: str, sentence: str) -> None:
    found = answer(replace(BASE, **facts), when)
    assert (found.label, found.sentence) == (label, sentence)


@pytest.mark.parametrize(
    ("facts", "note"),
    [
        ({"held": "The activation is paused. Paused by a person."}, "The activation is paused. Paused by a person."),
        ({"failed": "The token is revoked."}, "The last run failed: The token is revoked."),
        ({"next_run": EVENING}, "Next run: 20:00."),
        (
            {"decision": refused("rejected"), "retry_at": EVENING},
            "The first run after 20:00 tries it again, or an earlier one if its row changes.",
        ),
        (
            {"decision": refused("invalid")},
            "It is sent by the next run after its row in the source, or the mapping, is corrected.",
        ),
        ({"decision": refused("unknown")}, "The next run sends it again."),
    ],
)
def test_notes_say_what_happens_next(facts: dict[str, Any], note: str) -> None:
    assert note in answer(replace(BASE, **facts), when).notes


def test_an_activation_that_the_system_paused_promises_no_next_run() -> None:
    held = replace(BASE, held="The activation is paused by the system.", next_run=EVENING)
    assert answer(held, when).notes == ("The activation is paused by the system.",)
