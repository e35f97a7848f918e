"""The sentence about a run: its numbers are the counts, whatever they are. How long the rest of a run takes."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activations.models import Run
from activations.screens.plain_values import in_words
from activations.screens.run import pace
from activations.screens.run.sentence import Facts, sentence

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
NUMBER = st.one_of(st.just(0), st.integers(1, 5_000_000))


def facts(state: str = "succeeded", error: str = "", **counts: int) -> Facts:
    every = {**dict.fromkeys(Run.COUNTS, 0), **counts}
    return Facts(state, every, "company", "companies", "Attio", error)


def numbers(text: str) -> list[int]:
    return [int(found.replace(",", "")) for found in re.findall(r"\d[\d,]*", text)]


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (facts(rows=311, accepted=278, created=278, invalid=33), "278 companies created in Attio, 33 can't be sent."),
        (
            facts(rows=2_998, accepted=2_990, created=1, rejected=5, skipped=3),
            "1 company created and 2,989 updated in Attio, 5 rejected, 3 skipped.",
        ),
        (
            facts(rows=10_000, accepted=880, created=240, matched=9_120),
            "240 companies created and 640 updated (fields that differ) in Attio, 9,120 already there.",
        ),
        (
            facts(rows=9_120, matched=9_120),
            "No companies were created or updated in Attio: 9,120 already there.",
        ),
        (
            replace(facts("planned", new=12, known=340), compares=True),
            "Would send up to 352 companies to Attio: 12 new (compared first), 340 changed.",
        ),
        (facts(rows=2_998, unchanged=2_998), "Nothing had changed: 2,998 companies are up to date."),
        (
            facts(rows=3_000, unchanged=2_991, invalid=9),
            "Nothing had changed: 2,991 companies are up to date, 9 can't be sent.",
        ),
        (facts(rows=20, rejected=20), "No companies were created or updated in Attio: 20 rejected."),
        (facts(), "The source returned no rows."),
        (facts("failed", "The token was refused."), "Failed: The token was refused."),
        (
            facts("failed", "Attio is down.", accepted=2, created=2, not_sent=8),
            "Failed: Attio is down. 2 companies created in Attio, 8 not sent.",
        ),
        (facts("cancelled"), "Cancelled. Nothing had been sent."),
        (
            facts("planned", new=12, known=340, invalid=3),
            "Would send 352 companies to Attio: 12 new, 340 changed. 3 can't be sent.",
        ),
        (
            facts(rows=8, unchanged=8, left=2),
            "Nothing had changed: 8 companies are up to date. 2 companies are no longer in the data, and stay in Attio "
            "as they are.",
        ),
        (facts("planned", unchanged=5), "Nothing would be sent: 5 companies up to date."),
    ],
)
def test_run_is_told_in_one_sentence(run: Facts, words: str) -> None:
    assert sentence(run) == words


@given(created=NUMBER, updated=NUMBER, matched=NUMBER, rejected=NUMBER, invalid=NUMBER, skipped=NUMBER, unknown=NUMBER)
def test_numbers_of_a_run_that_sent_something_add_up_to_its_outcomes(
    created: int, updated: int, matched: int, rejected: int, invalid: int, skipped: int, unknown: int
) -> None:
    run = facts(
        rows=1,
        matched=matched,
        accepted=created + updated,
        created=created,
        rejected=rejected,
        invalid=invalid,
        skipped=skipped,
        unknown=unknown,
    )
    assert sum(numbers(sentence(run))) == created + updated + matched + rejected + invalid + skipped + unknown


@given(unchanged=st.integers(1, 9_999_999), waiting=NUMBER, invalid=NUMBER, skipped=NUMBER)
def test_numbers_of_a_run_without_changes_add_up_to_its_rows(
    unchanged: int, waiting: int, invalid: int, skipped: int
) -> None:
    rows = unchanged + waiting + invalid + skipped
    run = facts(rows=rows, unchanged=unchanged, waiting=waiting, invalid=invalid, skipped=skipped)
    assert sum(numbers(sentence(run))) == rows


@given(new=NUMBER, known=st.integers(1, 9_999_999), invalid=NUMBER)
def test_numbers_of_a_dry_run_add_up(new: int, known: int, invalid: int) -> None:
    total, *rest = numbers(sentence(facts("planned", new=new, known=known, invalid=invalid)))
    assert total == new + known
    assert sum(rest) == total + invalid


def settled(count: int, seconds: float) -> list[datetime]:
    """Times of `count` records, spread evenly over the last seconds."""
    return [NOW - timedelta(seconds=seconds * (place + 1) / count) for place in range(count)]


@pytest.mark.parametrize(
    ("times", "remaining", "words"),
    [
        (settled(600, 60), 2_400, "about 4 minutes left"),
        (settled(100, 10), 5, "less than a minute left"),
        (settled(60, 60), 60 * 60 * 3, "about 3 hours left"),
        (settled(19, 60), 1_000, ""),
        (settled(500, 2), 1_000, ""),
        ([NOW - timedelta(minutes=5)] * 500, 1_000, ""),
        ([], 1_000, ""),
        (settled(600, 60), 0, ""),
    ],
)
def test_time_left_is_told_once_it_is_known(times: list[datetime], remaining: int, words: str) -> None:
    assert pace.time_left(remaining, pace.per_second(times, NOW)) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([{"domain": "firm.com"}, {"domain": "firm.de"}], "firm.com, firm.de"),
        ({"first_name": "Ada", "last_name": "", "full_name": "Ada L"}, "first name: Ada, full name: Ada L"),
        (None, "empty"),
        ([], "empty"),
        (True, "true"),
        (0, "0"),
        ("x" * 301, f"{'x' * 300}…"),
    ],
)
def test_values_are_shown_without_json(value: object, words: str) -> None:
    assert in_words(value) == words
