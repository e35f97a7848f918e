"""The short chaos proof: twenty kills on SQLite. `make chaos` is the long one, also on PostgreSQL."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from destinations.sandbox.wire import Request
from tests.chaos import adoption, proof
from tests.chaos.faults import Failure, Write, logged_writes
from tests.chaos.repeats import EXPIRED_LEASE, by_change, explain
from tests.chaos.scenario import Kill
from tests.chaos.source import Company, Shop
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
def test_twenty_kills_lose_duplicate_and_invent_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.chaos", "--kills", "20", "--seed", "7", "--database", "sqlite"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"all +20 ", done.stdout)
    assert "All checks passed." in done.stdout


def test_proof_passes_if_the_destinations_match_the_source() -> None:
    state = {"records": [AT_ATTIO]}, {"companies": [AT_INTERCOM, UPDATED]}
    assert [*proof.check_values([COMPANY], *state, {"app-7"}), *proof.check_duplicates(*state)] == []


def test_proof_reports_wrong_missing_duplicate_and_unexpected_records() -> None:
    wrong = {**AT_ATTIO, "values": {**AT_ATTIO["values"], "name": "Six"}}  # type: ignore[dict-item]
    violations = list(proof.check_values([COMPANY], {"records": [wrong]}, {"companies": [UPDATED]}, set()))
    assert violations == [
        "Attio upsert, company 7: name is 'Six', not 'Seven'.",
        "Intercom upsert, company 7: missing.",
        "Intercom update, company 7: created, although update mode never creates records.",
    ]
    duplicates = list(proof.check_duplicates({"records": [AT_ATTIO, wrong]}, {"companies": []}))
    assert duplicates == ["Attio: company 7 exists 2 times."]


def test_proof_reports_wrong_and_missing_records_of_the_vendor_that_takes_batches() -> None:
    right = {"number": "7", "values": {"name": "Seven", "category": "SAAS", "seats": "2"}}
    wrong = {"number": "7", "values": {"name": "Six", "category": "SAAS", "seats": "2"}}
    assert list(proof.check_bulk([COMPANY], {"records": [right]})) == []
    assert list(proof.check_bulk([COMPANY], {"records": [wrong]})) == [
        "Bulk upsert, company 7: name is 'Six', not 'Seven'."
    ]
    assert list(proof.check_bulk([COMPANY], {"records": []})) == ["Bulk upsert, company 7: missing."]
    assert list(proof.check_bulk([COMPANY], {"records": [right, right]})) == ["Bulk: company 7 exists 2 times."]


def test_batch_is_logged_as_one_write_for_each_record() -> None:
    records = [{"number": "7", "values": {"name": "Seven"}}, {"id": "b8", "values": {"name": "Eight"}}]
    request = Request("POST", "/records", {}, {}, json.dumps({"records": records}).encode())
    assert list(logged_writes(request)) == [("/records/7", records[0]), ("/records/b8", records[1])]


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
def test_every_repeat_is_explained_by_an_earlier_kill_or_a_lost_answer(
    writes: list[Write], kills: list[Kill], expected: tuple[int, int, int], change: object
) -> None:
    attempts = list(by_change(writes, [change], {}))  # type: ignore[list-item]
    repeats = explain(attempts, kills)
    assert (sum(repeats.by_kill.values()), repeats.by_fault, len(repeats.unexplained)) == expected


@pytest.mark.parametrize(
    ("failed_at", "path", "expected"), [(2, "/companies", (1, 0)), (2, "/other", (0, 1)), (5, "/companies", (0, 1))]
)
def test_record_with_two_requests_is_sent_again_if_one_of_them_failed(
    failed_at: float, path: str, expected: tuple[int, int], change: object
) -> None:
    attempts = list(by_change([write(1), write(4)], [change], {}))  # type: ignore[list-item]
    repeats = explain(attempts, [], [], [Failure(failed_at, path)])
    assert (repeats.by_fault, len(repeats.unexplained)) == expected


@pytest.mark.parametrize(("activation", "expected"), [("Intercom upsert", (1, 0)), ("Attio upsert", (0, 1))])
def test_expired_lease_explains_repeats_of_its_own_run_only(
    activation: str, expected: tuple[int, int], change: object
) -> None:
    attempts = list(by_change([write(1), write(4)], [change], {}))  # type: ignore[list-item]
    repeats = explain(attempts, [], [Kill(3, EXPIRED_LEASE, "", frozenset({activation}))])
    assert (sum(repeats.by_kill.values()), len(repeats.unexplained)) == expected


def test_same_seed_gives_the_same_source(tmp_path: Path) -> None:
    first, same_seed, different_seed = Shop(tmp_path / "a", 1), Shop(tmp_path / "b", 1), Shop(tmp_path / "c", 2)
    for shop in (first, same_seed, different_seed):
        shop.change()
    assert first.live == same_seed.live
    assert first.live != different_seed.live


def put(at: float, **values: object) -> Write:
    return Write(at, "PUT", "/objects/companies/records", {"data": {"values": values}}, answered=True)


ATTIO_KEY = ("Attio upsert", 7)


def wrong_policies(before: dict[str, str] | None, now: dict[str, str], *writes: Write) -> list[str]:
    seeds = {} if before is None else {ATTIO_KEY: before}
    found = adoption.check_policies([COMPANY], seeds, {ATTIO_KEY: now}, {ATTIO_KEY: list(writes)})
    return [sentence.split(": ", 1)[1] for sentence in found if sentence.startswith("Attio")]


def test_proof_accepts_what_policies_must_leave() -> None:
    first = put(1.0, note="free", origin="free")
    assert wrong_policies(None, {"note": "free", "origin": "free"}, first, put(2.0, name="Seven")) == []
    assert wrong_policies({}, {"note": "team"}, put(1.0, note="team")) == []
    assert wrong_policies({"note": "theirs", "origin": "theirs"}, {"note": "theirs", "origin": "theirs"}) == []
    # A repeat after a kill sends the same values again.
    assert wrong_policies(None, {"note": "free", "origin": "free"}, first, first) == []


def test_proof_reports_fields_that_were_written_against_their_policy() -> None:
    first, second = put(1.0, note="free", origin="free"), put(2.0, note="team", origin="team")
    assert wrong_policies(None, {"note": "team", "origin": "team"}, first, second) == [
        "note (if_empty) is 'team', and was written as 'free', 'team'.",
        "origin (on_create) is 'team', and was written as 'free', 'team'.",
    ]
    assert wrong_policies({"note": "theirs"}, {"note": "free", "origin": "free"}, first) == [
        "note (if_empty) was written as 'free', although the record was there before.",
        "note (if_empty) is 'free', not 'theirs'.",
        "origin (on_create) was written as 'free', although the record was there before.",
        "origin (on_create) is 'free', not None.",
    ]
    assert wrong_policies({}, {}) == ["note (if_empty) was never written."]
