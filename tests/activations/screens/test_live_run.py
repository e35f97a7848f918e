"""A run's page while the run goes on: the counts and the list of records agree at every moment, on reload and live."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from activations.delivery.recorder import Recorder
from activations.models import Activation, Run
from activations.planning.writer import ChangeWriter
from tests.activations.conftest import Shop, run
from tests.activations.environment import SMALL_LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from destinations.sandbox.base import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
OUTCOMES = ("accepted", "rejected", "invalid", "skipped", "unknown", "not_sent")


class Watcher:
    """Looks at the page of the latest run, and compares its counts with its lists."""

    def __init__(self, staff: Client) -> None:
        self.staff = staff
        self.seen: list[tuple[str, int, int]] = []
        """State, number of records accepted, and number of records listed, at each look."""

    def look(self) -> None:
        latest = Run.objects.latest("pk")
        base = f"/admin/activations/run/{latest.pk}"
        for page in (f"{base}/change/", f"{base}/progress/"):
            tiles, listed = self.read(page, "")
            assert listed == tiles["new"] + tiles["known"] + tiles["invalid"], page
            for outcome in OUTCOMES:
                tiles, of_outcome = self.read(page, outcome)
                assert of_outcome == tiles[outcome], (page, outcome)
        self.seen.append((latest.state, tiles["accepted"], listed))

    def read(self, page: str, outcome: str) -> tuple[dict[str, int], int]:
        text = self.staff.get(page, {"outcome": outcome}).content.decode()
        tiles = {name: int(value) for name, value in re.findall(r'data-count="(\w+)">(\d+)<', text)}
        (listed,) = re.findall(r'data-listed="(\d+)"', text)
        return tiles, int(listed)


@pytest.fixture
def watcher(staff: Client, monkeypatch: pytest.MonkeyPatch) -> Watcher:
    watching = Watcher(staff)
    for name, value in SMALL_LIMITS.items():
        monkeypatch.setattr(f"activations.{name}", value)
    monkeypatch.setattr("activations.storage.bundles.SIZE", 4)
    for place, method in ((Recorder, "record"), (ChangeWriter, "flush")):
        monkeypatch.setattr(place, method, looking_after(watching, getattr(place, method)))
    return watching


def looking_after(watching: Watcher, method: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **more: Any) -> Any:
        result = method(*args, **more)
        watching.look()
        return result

    return call


def test_counts_and_list_agree_while_planning_while_delivering_and_afterwards(
    watcher: Watcher, shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(10)
    shop.add((11, "No domain", None, "", "pro", 1), (12, "Odd domain", "not a domain", "", "pro", 1))
    ended = run(to_attio)
    watcher.look()
    assert (ended.accepted, ended.invalid) == (10, 2)
    assert {state for state, _, _ in watcher.seen} == {"planning", "delivering", "completed_with_warnings"}
    assert {listed for state, _, listed in watcher.seen if state == "planning"} == {0}
    assert {listed for state, _, listed in watcher.seen if state != "planning"} == {12}
    assert len({accepted for state, accepted, _ in watcher.seen if state == "delivering"}) > 3
