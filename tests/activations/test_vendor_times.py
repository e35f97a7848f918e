"""How long the requests of a run took: measured by its worker, and stored with a row for each run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from activations.models import Activation, VendorTimes
from destinations.answer_times import SUM
from destinations.contract import Limits
from destinations.registry import services
from destinations.sandbox.wire import Fault
from tests.activations.conftest import Shop, run

if TYPE_CHECKING:
    from pytest_django import Settings

    from destinations.sandbox.base import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def count(answers: dict[str, float]) -> float:
    """How many requests are in all buckets together."""
    return sum(number for name, number in answers.items() if name != SUM)


@pytest.mark.parametrize("slice_seconds", [60, 0.2])
def test_every_request_of_a_run_is_timed(
    shop: Shop,
    attio: Sandbox,
    to_attio: Activation,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    slice_seconds: float,
) -> None:
    settings.RUN_SLICE_SECONDS = slice_seconds
    monkeypatch.setattr("destinations.pacing.SHARE_OF_LIMIT", 1.0)
    monkeypatch.setattr(type(services["attio.companies"]), "limits", Limits(reads=1000, writes=20))
    shop.fill(20)
    done = run(to_attio)
    times = VendorTimes.objects.get(run=done)
    assert set(times.answers) == {"2xx"}
    assert count(times.answers["2xx"]) == done.discovery_requests + done.lookup_requests + done.write_requests
    assert 0 < times.answers["2xx"][SUM] < 20
    # The turns of 20 writes are 50 ms apart, so the last one waits for most of a second.
    assert times.waited_seconds > 1


def test_refusals_and_requests_without_an_answer_are_told_apart(
    shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(3)
    attio.faults += [
        Fault("delay_after", method="PUT", body_contains="Company 1", seconds=0.3),
        Fault("reply", method="PUT", body_contains="Company 2", status=400, body={"code": "x", "message": "No."}),
        Fault("cut", method="PUT", body_contains="Company 3"),
    ]
    answers = VendorTimes.objects.get(run=run(to_attio)).answers
    assert answers["2xx"]["0.5"] >= 1
    assert {status: count(answers[status]) for status in ("4xx", "none")} == {"4xx": 1, "none": 1}
