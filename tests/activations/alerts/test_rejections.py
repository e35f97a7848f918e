"""The share of rejected records: known rejects that are tried again raise no false alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from activations import warning_kinds as kinds
from activations.alerts.findings import Summary, findings
from activations.alerts.words import accepted_nothing
from activations.models import Run
from destinations.sandbox.wire import Fault
from tests.activations.conftest import run

if TYPE_CHECKING:
    from activations.models import Activation
    from destinations.sandbox.base import Sandbox
    from tests.activations.conftest import Shop


@pytest.mark.parametrize(
    ("run", "part"),
    [
        (Summary(rows=1000, rejected=5, retried=5), None),
        (Summary(rows=1000, rejected=3, retried=5, accepted=2), None),
        (Summary(rows=1000, rejected=0, waiting=5), None),
        (Summary(rows=1000, rejected=15, retried=5), 10),
        (Summary(rows=1000, rejected=10, accepted=90), 10),
        (Summary(rows=1000, rejected=10, accepted=990), None),
        (Summary(rows=1000, rejected=200, retried=200), 200),
        (Summary(rows=1000, rejected=0, waiting=200, accepted=5), 200),
        (Summary(rows=5, rejected=5), 5),
    ],
)
def test_rejected_share_is_of_new_attempts_or_of_all_rows(run: Summary, part: int | None) -> None:
    found = [finding for finding in findings(run, kinds.effective({})) if finding.kind == kinds.REJECTED]
    assert [finding.details["part"] for finding in found] == ([] if part is None else [part])


@pytest.mark.parametrize(
    ("counts", "bad"),
    [
        ({"rejected": 5, "retried": 5, "unchanged": 995}, False),
        ({"rejected": 6, "retried": 5, "unchanged": 994}, True),
        ({"rejected": 5, "retried": 5}, True),
        ({"rejected": 6, "retried": 5, "accepted": 1}, False),
        ({"rejected": 6, "matched": 900}, False),
    ],
)
def test_activation_fails_only_if_something_else_was_refused(counts: dict[str, int], bad: bool) -> None:
    assert accepted_nothing(Run(state=Run.State.COMPLETED_WITH_WARNINGS, **counts)) == bad


@pytest.mark.django_db(transaction=True)
def test_run_that_only_tries_a_rejected_record_again_is_no_failure(
    shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(30)
    refusal = {"code": "validation_type", "message": "No."}
    attio.faults.append(Fault("reply", "PUT", body_contains="Company 2", times=99, status=400, body=refusal))
    shop.run("delete from companies where id between 20 and 29")
    assert run(to_attio).retried == 0
    again = run(to_attio)
    assert (again.planned, again.rejected, again.retried) == (1, 1, 1)
    assert not accepted_nothing(again)
    assert again.found_warnings == []
    shop.set(2, "name", "Company 2 Inc")
    assert run(to_attio).retried == 0
