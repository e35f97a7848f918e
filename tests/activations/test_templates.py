"""Templates and rounding through whole runs: what is sent, what is left alone, and renamed columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from activations import text_template
from activations.models import Activation, FieldMapping
from activations.screens.editor import mapping_request
from activations.setup.mapping_diff import mapping_change
from core.errors import Misconfigured
from segments.integrity.segments import rename_column
from tests.activations.conftest import Shop, map_fields, run, writes

if TYPE_CHECKING:
    from destinations.sandbox.base import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_template_and_a_rounded_number_are_sent_and_followed(
    to_intercom: Activation, shop: Shop, intercom: Sandbox
) -> None:
    shop.add((1, "Acme", "acme.com", "Paris", "pro", 7.5), (2, "Beta", "beta.com", None, "free", 2))
    to_intercom.mappings.filter(target="name").update(column="", template="{name} ({description})")
    map_fields(to_intercom, {"column": "seats", "target": "size", "round_to_whole": True})
    first = run(to_intercom)
    assert (first.accepted, first.invalid) == (2, 0)
    sent = {entry["body"]["company_id"]: entry["body"] for entry in writes(intercom)}
    assert {key: (body["name"], body["size"]) for key, body in sent.items()} == {
        "1": ("Acme (Paris)", 8),
        "2": ("Beta ()", 2),
    }
    assert run(to_intercom).unchanged == 2
    shop.set(1, "description", "Lyon")
    shop.set(2, "seats", 2.4)
    second = run(to_intercom)
    assert (second.accepted, second.unchanged) == (1, 1)


def test_a_run_remembers_the_template_so_that_its_change_is_announced(to_attio: Activation, shop: Shop) -> None:
    shop.fill(2)
    run(to_attio)
    assert mapping_change(to_attio) == ""
    to_attio.mappings.filter(target="description").update(column="", template="{plan}: {description}")
    assert "“description” has a different source now" in mapping_change(Activation.objects.get(pk=to_attio.pk))
    assert run(Activation.objects.get(pk=to_attio.pk)).accepted == 2


def test_a_template_follows_a_renamed_column_and_is_one_of_its_uses(to_attio: Activation) -> None:
    to_attio.mappings.filter(target="description").update(column="", template="{{{plan}}} {seats}")
    to_attio = Activation.objects.get(pk=to_attio.pk)
    assert to_attio.columns == ["domain", "name", "plan", "seats"]
    rename_column(to_attio.data_model, "plan", "tier")
    assert FieldMapping.objects.get(target="description").template == "{{{tier}}} {seats}"


def test_a_template_that_is_too_long_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(Misconfigured, match=r"longer than 2,000 characters"):
        text_template.parse("{a}" * 100_000)
    assert text_template.columns("{a}" * 100_000) == []


def test_templates_of_one_request_are_limited_together() -> None:
    rows = [{"template": "{name}" * 300}] * 12
    with pytest.raises(Misconfigured, match="20,000 characters"):
        mapping_request.parse({"rows": rows})
