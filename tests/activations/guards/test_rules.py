"""The guards: which plans they hold, and what a person has agreed to already."""

from __future__ import annotations

from dataclasses import replace

import pytest

from activations.guards.rules import Limits, Planned, holds

DAY = Planned(rows=1_000, rows_before=1_000, new=3, changed=10, synchronized=1_000, agreed=True)
"""An ordinary day."""
OFF = Limits(empty=False, size_percent=None, creates=None, change_percent=None, first_creates=False)


def kinds(plan: Planned, limits: Limits | None = None) -> list[str]:
    return [hold.kind for hold in holds(limits or Limits(), plan)]


def test_an_ordinary_run_is_not_held() -> None:
    assert kinds(DAY) == []


@pytest.mark.parametrize(
    ("changes", "held"),
    [
        ({"rows": 0}, ["empty"]),
        ({"rows": 0, "rows_before": 5}, ["empty"]),
        ({"rows": 0, "rows_before": 0}, []),
        ({"rows": 0, "rows_before": None}, []),
        ({"rows": 499}, ["size"]),
        ({"rows": 500}, []),
        ({"rows": 1_500}, []),
        ({"rows": 1_501}, ["size"]),
        ({"rows": 10, "rows_before": 29}, []),
        ({"rows": 10, "rows_before": 30}, ["size"]),
        ({"changed": 500}, []),
        ({"changed": 501}, ["changes"]),
        ({"changed": 19, "synchronized": 19}, []),
        ({"changed": 20, "synchronized": 20}, ["changes"]),
        ({"changed": 0, "synchronized": 0, "new": 5_000}, []),
        ({"changed": 1_000, "full": True}, []),
        ({"new": 1, "agreed": False}, ["first_creates"]),
        ({"new": 0, "agreed": False}, []),
        ({"new": 5_000, "agreed": False, "creates": False}, []),
        ({"rows": 0, "changed": 900}, ["empty", "changes"]),
    ],
)
def test_defaults_hold_what_looks_wrong(changes: dict[str, int | None], held: list[str]) -> None:
    assert kinds(replace(DAY, **changes)) == held  # type: ignore[arg-type]


def test_a_number_of_creates_holds_every_run_whoever_started_it() -> None:
    limits = Limits(creates=5)
    assert kinds(replace(DAY, new=5), limits) == []
    assert kinds(replace(DAY, new=6), limits) == ["creates"]
    assert kinds(replace(DAY, new=6, agreed=False), limits) == ["creates"]
    assert kinds(replace(DAY, new=6, creates=False), limits) == []
    assert kinds(replace(DAY, new=1), Limits(creates=0)) == ["creates"]


def test_guards_that_are_off_hold_nothing() -> None:
    worst = Planned(rows=0, rows_before=10_000, new=9_000, changed=9_000, synchronized=9_000)
    assert kinds(worst, OFF) == []
    assert kinds(replace(worst, rows=1), OFF) == []


def test_the_message_never_shows_the_limit_as_exceeded_by_itself() -> None:
    (hold,) = holds(Limits(), replace(DAY, changed=50_001, synchronized=100_000))
    assert hold.message == "50,001 of 100,000 records would change (50.1%). The limit is 50%."
    (hold,) = holds(Limits(), replace(DAY, rows=400))
    assert hold.message == "The data shrank by 60%, from 1,000 to 400 rows. The limit is 50%."
    assert hold.stored()["facts"] == {"rows": 400, "rows_before": 1_000, "percent": -60.0, "limit": 50}
