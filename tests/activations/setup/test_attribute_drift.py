"""An attribute that is gone, read-only or of a different type leads to a warning at its mapping and after a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from activations.models import Activation, FieldMapping, Warning
from destinations.models import Discovery
from tests.activations.conftest import Shop, map_fields, run, writes

if TYPE_CHECKING:
    from django.test import Client

    from destinations.sandbox.base import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def attribute(attio: Any, name: str) -> Any:
    return attio.workspace.stores["companies"].schema.attributes[name]


def opened(activation: Activation) -> list[tuple[str, str]]:
    return list(Warning.objects.filter(activation=activation, closed_at=None).values_list("kind", "subject"))


def page(staff: Client, activation: Activation) -> str:
    return staff.get(f"/admin/activations/activation/{activation.pk}/change/?step=mapping").content.decode()


def rows(staff: Client, activation: Activation) -> dict[str, str]:
    """The warning at the row of each attribute."""
    formset = (
        staff.get(f"/admin/activations/activation/{activation.pk}/change/").context["inline_admin_formsets"][0].formset
    )
    return {
        form.instance.target: form.fields["target"].widget.attrs.get("data-warning", "")
        for form in formset.initial_forms
    }


@pytest.mark.parametrize("archived", [True, False])
def test_attribute_that_can_no_longer_be_written_has_a_warning_at_its_row(
    archived: bool, shop: Shop, attio: Sandbox, to_attio: Activation, staff: Client
) -> None:
    shop.fill(2)
    assert run(to_attio).state == "succeeded"
    setattr(attribute(attio, "description"), *(("archived", True) if archived else ("writable", False)))
    shop.run("update companies set description = 'New', name = 'New'")
    assert rows(staff, to_attio) == {"name": "", "description": ""}, "no discovery has noticed it yet"
    done = run(to_attio)
    assert (done.state, done.accepted) == ("completed_with_warnings", 2)
    assert opened(to_attio) == [("missing_attribute" if archived else "read_only_attribute", "description")]
    shown = rows(staff, to_attio)
    assert shown["name"] == ""
    assert "“description”" in shown["description"]
    assert "left out" in shown["description"]


def test_changed_type_is_a_warning_until_a_person_confirms_it(
    shop: Shop, attio: Sandbox, to_attio: Activation, staff: Client
) -> None:
    shop.fill(2)
    run(to_attio)
    attribute(attio, "description").type = "number"
    done = run(to_attio)
    assert (done.state, done.invalid) == ("completed_with_warnings", 2), "each record has its own reason"
    assert ("changed_attribute", "description") in opened(to_attio)
    assert "was text when it was mapped, and is number now" in rows(staff, to_attio)["description"]
    run(to_attio)
    assert ("changed_attribute", "description") in opened(to_attio), "no person has confirmed it"
    save(staff, to_attio)
    assert rows(staff, to_attio)["description"] == ""
    run(to_attio)
    assert ("changed_attribute", "description") not in opened(to_attio)


def test_type_change_between_mapping_and_first_run_is_noticed(
    shop: Shop, attio: Sandbox, to_attio: Activation, staff: Client
) -> None:
    shop.fill(1)
    staff.get(f"/api/destinations/{to_attio.destination_id}/fields/")
    attribute(attio, "description").type = "number"
    run(to_attio)
    assert ("changed_attribute", "description") in opened(to_attio)
    assert FieldMapping.objects.get(target="description").target_type == "text"


def test_missing_attribute_does_not_prevent_saving_other_changes(
    shop: Shop, attio: Sandbox, to_attio: Activation, staff: Client
) -> None:
    shop.fill(1)
    attribute(attio, "description").archived = True
    run(to_attio)
    save(staff, to_attio, rejected_percent=7)
    to_attio.refresh_from_db()
    assert to_attio.thresholds["rejected_percent"] == 7
    assert "left out" in rows(staff, to_attio)["description"]
    answer = post(staff, to_attio, **{"mappings-1-column": "plan"})
    assert "has no attribute" in str(answer.context["errors"]), "it can't be mapped again"


def test_run_discovers_again_and_stores_the_fields(
    shop: Shop, attio: Sandbox, to_attio: Activation, staff: Client
) -> None:
    shop.fill(1)
    run(to_attio)
    before = Discovery.objects.get().found_at
    assert run(to_attio).discovery_requests > 1
    assert Discovery.objects.get().found_at > before
    writes(attio)
    assert 'data-role="target"' in page(staff, to_attio)
    assert staff.get(f"/api/destinations/{to_attio.destination_id}/fields/").json()
    assert not attio.log


def test_saving_sends_requests_only_if_the_stored_fields_rule_it_out(
    shop: Shop, attio: Sandbox, to_attio: Activation, staff: Client
) -> None:
    shop.fill(1)
    run(to_attio)
    attio.log.clear()
    save(staff, to_attio)
    assert not attio.log
    Discovery.objects.update(fields=[])
    save(staff, to_attio)
    assert attio.log
    assert Discovery.objects.get().fields


def save(staff: Client, activation: Activation, **changed: Any) -> None:
    """Saves the activation's page, which must succeed."""
    answer = post(staff, activation, **changed)
    assert answer.status_code == 302, [answer.context["errors"], answer.context["adminform"].form.errors]


def post(staff: Client, activation: Activation, **changed: Any) -> Any:
    """Submits the activation's page as it is, except for `changed`."""
    url = f"/admin/activations/activation/{activation.pk}/change/"
    context = staff.get(url).context
    values: dict[str, Any] = {}
    formsets = [inline.formset for inline in context["inline_admin_formsets"]]
    for form in [
        context["adminform"].form,
        *(formset.management_form for formset in formsets),
        *(f for formset in formsets for f in formset),
    ]:
        for bound in form:
            if bound.value() is not None and bound.value() is not False:
                values[bound.html_name] = bound.value()
    return staff.post(url, {**values, **changed})


def test_mapping_from_now_on_starts_when_its_attribute_can_be_written(
    shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    """Records that were sent while the attribute was read-only were accepted before the mapping, too."""
    shop.fill(2)
    run(to_attio)
    attribute(attio, "linkedin").writable = False
    Activation.objects.filter(pk=to_attio.pk).update(backfill="new")
    map_fields(to_attio, ("plan", "linkedin"))
    shop.set(1, "name", "New")
    assert run(Activation.objects.get(pk=to_attio.pk)).accepted == 1
    attribute(attio, "linkedin").writable = True
    assert run(Activation.objects.get(pk=to_attio.pk)).planned == 0
    shop.set(1, "plan", "free")
    writes(attio)
    run(Activation.objects.get(pk=to_attio.pk))
    assert [sent["body"]["data"]["values"] for sent in writes(attio)] == [{"linkedin": "free"}]
