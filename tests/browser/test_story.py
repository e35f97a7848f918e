"""From a segment to records at the destination, in the browser: segment, activation and runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from activations.models import Activation, Run
from segments.models import DataModel, Segment, Source
from segments.sources.discovery import refresh_columns
from tests.browser.pages import attribute, destination, goto, save, step

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def make_segment(page: Page, live_server: Any, shop: Path) -> None:
    """Creates a segment of French and Spanish companies."""
    source = Source.objects.create(name="Shop", engine="sqlite", config={"path": shop.name})
    model = DataModel.objects.create(name="Companies", source=source, table="companies", primary_key="id")
    refresh_columns(model)
    goto(page, live_server, f"/admin/segments/segment/add/?model={model.pk}")
    page.fill("#id_name", "French companies")
    page.click("[data-add]")
    page.select_option("[aria-label=Field]", "country")
    page.select_option("[aria-label=Operator]", "one_of")
    page.fill("[aria-label=Values]", "FR")
    page.press("[aria-label=Values]", "Enter")
    page.fill("[aria-label=Values]", "ES")
    expect(page.locator("[data-segment-count]")).to_have_text("4")
    save(page)


def connect(page: Page, live_server: Any, platform: str, service: str) -> None:
    """Creates a destination, and opens a new activation for it."""
    config = {"region": "us"} if platform == "Intercom" else {}
    away = destination(platform.lower(), service, **config)
    goto(page, live_server, f"/admin/activations/activation/add/?destination={away.pk}")


def start_activation(page: Page, column: str, field: str) -> None:
    """Fills in the first part of the activation that `connect` has opened."""
    page.fill("#id_name", "French companies away")
    page.select_option("#id_records", label="French companies")
    step(page, "mapping")
    page.select_option("#id_match_column", column)
    attribute(page, "#id_match_field", field)


def map_field(page: Page, row: int, column: str, target: str) -> None:
    page.click("[data-add-row]")
    page.select_option(f"#id_mappings-{row}-column", column)
    attribute(page, f"#id_mappings-{row}-target", target)


def counted(page: Page, name: str) -> Any:
    return page.locator(f"[data-count={name}]")


def test_companies_reach_attio(
    signed_in: Page, live_server: Any, shop: Path, attio: Any, worker: None, requests_outside: list[str]
) -> None:
    page = signed_in
    make_segment(page, live_server, shop)
    connect(page, live_server, "Attio", "attio.companies")
    start_activation(page, "domain", "domains")
    map_field(page, 0, "name", "name")
    save(page)

    page.click("text=Run now")
    expect(page.locator(".d-facts .d-pill").first).to_contain_text("Completed · 1 record can't be sent")
    expect(counted(page, "accepted")).to_have_text("3")
    expect(counted(page, "created")).to_have_text("3")
    expect(counted(page, "invalid")).to_have_text("1")
    expect(page.locator("#changes")).to_contain_text("Délice")

    page.click("text=Run again")
    expect(counted(page, "unchanged")).to_have_text("3")
    expect(counted(page, "write_requests")).to_have_text("0")
    assert Run.objects.count() == 2
    assert requests_outside == []


def test_custom_attributes_and_fixed_values_reach_intercom(
    signed_in: Page, live_server: Any, shop: Path, intercom: Any, worker: None
) -> None:
    page = signed_in
    make_segment(page, live_server, shop)
    connect(page, live_server, "Intercom", "intercom.companies")
    start_activation(page, "id", "company_id")
    step(page, "destination")
    page.check("text=Create new companies and update existing ones")
    step(page, "mapping")
    map_field(page, 0, "name", "name")
    page.click("[data-add-row]")
    page.select_option("#id_mappings-1-origin", "fixed")
    page.fill("#id_mappings-1-fixed", "Customer")
    attribute(page, "#id_mappings-1-target", "industry")
    page.check("input[name=custom_columns][value=seats]")
    save(page)

    page.click("text=Dry run")
    expect(page.locator(".d-facts")).to_contain_text("Planned")
    assert not any(request["method"] in ("POST", "PUT") and request["path"] == "/companies" for request in intercom.log)

    page.click("a:has-text('Activation')  >> nth=-1")
    page.click("text=Run now")
    expect(counted(page, "accepted")).to_have_text("4")
    sent = [
        request["body"] for request in intercom.log if request["method"] == "POST" and request["path"] == "/companies"
    ]
    assert {body["industry"] for body in sent} == {"Customer"}
    assert {body["custom_attributes"]["seats"] for body in sent} == {12, 1, 8, 2}


def test_nested_conditions_can_be_edited_in_place(signed_in: Page, live_server: Any, shop: Path) -> None:
    page = signed_in
    make_segment(page, live_server, shop)
    segment = Segment.objects.get()
    nested = {
        "any": [{"field": "mrr", "is": "greater_than", "value": 100}, {"field": "seats", "is": "less_than", "value": 3}]
    }
    segment.where = {"all": [{"field": "country", "is": "equals", "value": "FR"}, nested]}
    segment.save()

    page.reload()
    expect(page.locator("[data-sentence]")).to_contain_text("(mrr is greater than 100 or seats is less than 3)")
    expect(page.locator("[data-segment-count]")).to_have_text("3")
    page.fill("[aria-label=Value] >> nth=0", "ES")
    expect(page.locator("[data-segment-count]")).to_have_text("0")
    save(page)

    segment.refresh_from_db()
    assert segment.where["all"][0]["value"] == "ES"
    assert segment.where["all"][1] == nested


def test_mapping_problem_is_shown_in_its_row(signed_in: Page, live_server: Any, shop: Path, attio: Any) -> None:
    page = signed_in
    make_segment(page, live_server, shop)
    connect(page, live_server, "Attio", "attio.companies")
    start_activation(page, "domain", "domains")
    map_field(page, 0, "name", "name")
    map_field(page, 1, "country", "name")
    save(page)

    expect(page.locator("li:has(#id_mappings-1-target)")).to_contain_text("mapped twice")
    assert not Activation.objects.exists()
