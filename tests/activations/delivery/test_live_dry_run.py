"""A live dry run looks at the destination, writes nothing, and says what the next run then does."""

from __future__ import annotations

import copy
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from activations.models import Activation, Change, MatchValue, Record, Run
from destinations.contract import Created
from tests.activations.test_compare_first import Comparing

if TYPE_CHECKING:
    from collections.abc import Callable

    from destinations.contract import Field, Held, Operation, Outcome
    from tests.activations.memory_story import Story
    from tests.activations.vendor import Client, Movable, Vendor

pytestmark = pytest.mark.django_db(transaction=True)


Said = tuple[str, frozenset[str], frozenset[str]]
"""Of a record: the outcome, the fields that are sent, and those that are kept."""


class Telling(Comparing):
    """Reports which writes created a record, and shows the values of its records."""

    slug = "memory.telling"

    def write(self, client: Client, operation: Operation) -> Outcome:
        before = set(client.vendor.records)
        outcome = super().write(client, operation)
        created = Created.NO if outcome.remote_id in before else Created.YES
        return type(outcome)(**{**vars(outcome), "created": created})

    def is_empty(self, field: Field, held: Held) -> bool:
        return held.values.get(field.name) is None

    def shown(self, field: Field, held: Held) -> Any:
        return held.values.get(field.name)


def stored() -> list[Any]:
    """Everything that a dry run must leave as it is."""
    numbers = Activation.objects.values("next_slot", "next_run_number", "start_afresh")
    return [*map(list, (Record.objects.order_by("pk").values(), MatchValue.objects.order_by("pk").values(), numbers))]


def kept(change: Change) -> frozenset[str]:
    return frozenset(change.kept or ())


def foreseen(run: Run) -> dict[str, Said]:
    """What a dry run says of each record: the outcome, and the fields."""
    changes = Change.objects.filter(run=run)
    return {change.key: (change.outcome, frozenset(change.sent), kept(change)) for change in changes}


def happened(run: Run) -> dict[str, Said]:
    """The same for a real run."""
    words = {True: "creates", False: "updates"}
    return {
        change.key: (
            words[change.created] if change.outcome == "accepted" else change.outcome,
            frozenset(change.sent if change.outcome == "accepted" else ()),
            kept(change),
        )
        for change in Change.objects.filter(run=run)
    }


def disturb(chance: Random, vendor: Vendor) -> None:
    """What other people do at the vendor meanwhile: they add, edit and delete records."""
    for number in chance.sample(range(30), 4):
        if not vendor.holder(f"m{number}"):
            vendor.add(f"m{number}", {"a": chance.choice("AB"), "b": chance.choice("AB")})
    for remote_id in chance.sample(sorted(vendor.records), min(5, len(vendor.records))):
        if chance.random() < 0.3:
            del vendor.records[remote_id]
        else:
            vendor.records[remote_id][chance.choice("ab")] = chance.choice(["A", "B", "theirs", None])


POLICIES = {"a": "if_empty", "b": "on_create"}


@pytest.mark.parametrize(
    ("compare_first", "policies"),
    [(True, {}), (False, {}), (True, POLICIES), (False, POLICIES)],
    ids=["compares", "sends everything", "compares with policies", "has policies"],
)
@pytest.mark.parametrize("mode", ["upsert", "update", "insert"])
def test_dry_run_says_what_the_run_then_does(
    begin: Callable[[type[Movable]], Story], mode: str, compare_first: bool, policies: dict[str, str]
) -> None:
    story = begin(Telling)
    for target, policy in policies.items():
        story.activation.mappings.filter(target=target).update(policy=policy)
    Activation.objects.update(mode=mode, compare_first=compare_first)
    chance = Random(f"{mode} {compare_first}")
    outcomes: Counter[str] = Counter()
    for _ in range(3):
        disturb(chance, story.vendor)
        keys = chance.sample(range(30), 20)
        story.rows(*((str(n), f"m{n}", chance.choice("AB"), chance.choice(["A", "B", None, "bad"])) for n in keys))
        full = chance.random() < 0.3
        before = copy.deepcopy((story.vendor.records, story.vendor.requests)), stored()
        dry = story.run(dry_run=True, live=True, full=full)
        assert (dry.state, dry.write_requests) == ("planned", 0)
        assert ((story.vendor.records, story.vendor.requests), stored()) == before
        said = foreseen(dry)
        real = story.run(full=full)
        assert said == happened(real)
        assert (dry.creates, dry.updates) == (real.created, real.accepted - real.created)
        names = ("planned", "matched", "skipped", "rejected", "invalid", "kept", "unchanged")
        assert [getattr(dry, name) for name in names] == [getattr(real, name) for name in names]
        outcomes.update(outcome for outcome, _, _ in said.values())
    assert len(outcomes) >= 3
