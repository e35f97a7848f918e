"""The short chaos proof: twenty kills on SQLite; `make chaos` is the long one, also on PostgreSQL."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.chaos import proof
from tests.chaos.repeats import LAPSE, by_change, explain
from tests.chaos.source import Company, Shop
from tests.chaos.story import Kill
from tests.chaos.weather import Failure, Write
from tests.dinmo.live_processes import ROOT, environment

if TYPE_CHECKING:
    from pathlib import Path

COMPANY = Company(7, "Seven", None, "SAAS", "free", seats=2, revenue=100)
AT_ATTIO = {"id": "a7", "values": {"domains": ["company7.com"], "name": "Seven", "categories": ["SAAS"]}}
AT_INTERCOM = {
    "id": "i7",
    "company_id": "7",
    "name": "Seven",
    "plan": {"name": "free"},
    "custom_attributes": {"seats": 2},
}
UPDATED = {
    "id": "u7",
    "company_id": "app-7",
    "name": "Seven",
    "plan": {},
    "custom_attributes": {},
    "size": 2,
    "monthly_spend": 100,
}


@pytest.mark.crash
def test_twenty_kills_lose_double_and_invent_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.chaos", "--kills", "20", "--seed", "7", "--database", "sqlite"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"all +20 ", done.stdout)
    assert "Everything held." in done.stdout


def test_the_proof_passes_where_all_is_equal() -> None:
    held = {"records": [AT_ATTIO]}, {"companies": [AT_INTERCOM, UPDATED]}
    assert [*proof.equal([COMPANY], *held, {"app-7"}), *proof.once(*held)] == []


def test_the_proof_names_what_is_wrong_missing_doubled_or_should_not_be_there() -> None:
    wrong = {**AT_ATTIO, "values": {**AT_ATTIO["values"], "name": "Six"}}  # type: ignore[dict-item]
    found = list(proof.equal([COMPANY], {"records": [wrong]}, {"companies": [UPDATED]}, set()))
    assert found == [
        "Attio upsert, company 7: name is 'Six', not 'Seven'.",
        "Intercom upsert, company 7: it is missing.",
        "Intercom update, company 7: it was created, which update mode never does.",
    ]
    assert list(proof.once({"records": [AT_ATTIO, wrong]}, {"companies": []})) == ["Attio: company 7 is there 2 times."]


def write(at: float, *, answered: bool = True) -> Write:
    return Write(at, "POST", "/companies", {"company_id": "7", "name": "Seven"}, answered)


@pytest.mark.parametrize(
    ("writes", "kills", "expected"),
    [
        ([write(1)], [], (0, 0, 0)),
        ([write(1), write(4)], [Kill(2, "worker", "", frozenset())], (1, 0, 0)),
        ([write(1, answered=False), write(4)], [Kill(2, "worker", "", frozenset())], (0, 1, 0)),
        ([write(1), write(4)], [], (0, 0, 1)),
        ([write(1), write(4)], [Kill(5, "worker", "", frozenset())], (0, 0, 1)),
    ],
)
def test_every_repeat_has_a_kill_or_a_lost_answer_before_it(
    writes: list[Write], kills: list[Kill], expected: tuple[int, int, int], change: object
) -> None:
    attempts = list(by_change(writes, [change], {}))  # type: ignore[list-item]
    found = explain(attempts, kills)
    assert (sum(found.by_kill.values()), found.by_weather, len(found.unexplained)) == expected


@pytest.mark.parametrize(
    ("failed_at", "path", "expected"), [(2, "/companies", (1, 0)), (2, "/other", (0, 1)), (5, "/companies", (0, 1))]
)
def test_a_record_of_two_requests_is_sent_again_where_one_of_them_failed(
    failed_at: float, path: str, expected: tuple[int, int], change: object
) -> None:
    attempts = list(by_change([write(1), write(4)], [change], {}))  # type: ignore[list-item]
    found = explain(attempts, [], [], [Failure(failed_at, path)])
    assert (found.by_weather, len(found.unexplained)) == expected


@pytest.mark.parametrize(("activation", "expected"), [("Intercom upsert", (1, 0)), ("Attio upsert", (0, 1))])
def test_a_lease_that_ended_explains_repeats_of_its_own_run(
    activation: str, expected: tuple[int, int], change: object
) -> None:
    attempts = list(by_change([write(1), write(4)], [change], {}))  # type: ignore[list-item]
    found = explain(attempts, [], [Kill(3, LAPSE, "", frozenset({activation}))])
    assert (sum(found.by_kill.values()), len(found.unexplained)) == expected


def test_the_source_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    one, other, another = Shop(tmp_path / "a", 1), Shop(tmp_path / "b", 1), Shop(tmp_path / "c", 2)
    for shop in (one, other, another):
        shop.change()
    assert one.live == other.live
    assert one.live != another.live
