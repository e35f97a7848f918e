"""The link to a record at the vendor is kept with every change whose answer contains one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from activations.models import Activation, Change
from tests.activations.conftest import run
from tests.activations.vendor import Client, Movable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from destinations.contract import Field, Held, Operation, Outcome
    from destinations.sandbox.base import Sandbox
    from tests.activations.conftest import Shop
    from tests.activations.memory_story import Story

pytestmark = pytest.mark.django_db(transaction=True)


class Linking(Movable):
    """Finds nothing, so that insert mode learns only from the answer to a create that the record exists."""

    slug = "memory.linking"

    def find(self, client: Client, match_field: Field, identities: Sequence[str]) -> Mapping[str, Held]:
        return {}

    def write(self, client: Client, operation: Operation) -> Outcome:
        return replace(super().write(client, operation), web_url=f"https://vendor.test/{operation.match_value}")


def test_created_and_updated_records_have_a_link(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(1)
    run(to_attio)
    shop.set(1, "name", "Changed")
    run(to_attio)
    created, updated = Change.objects.order_by("pk")
    assert created.web_url.startswith("https://app.attio.com/")
    assert updated.web_url == created.web_url


def test_skipped_record_has_a_link(begin: Callable[[type[Movable]], Story]) -> None:
    story = begin(Linking)
    story.vendor.add("m", {"a": "Theirs"})
    Activation.objects.update(mode="insert")
    story.rows(("1", "m", "A", "B"))
    assert story.run().skipped == 1
    change = Change.objects.get()
    assert (change.outcome, change.web_url) == ("skipped", "https://vendor.test/m")
