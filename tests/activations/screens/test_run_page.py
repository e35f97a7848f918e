"""The page of a run, with real runs against a simulated vendor: causes, records, downloads and retries."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from activations.execute import execute
from activations.models import Activation, Change, FieldMapping, Run
from activations.runs import dispatch
from activations.screens.run import download, exchanges, record_list
from activations.screens.run.causes import Group, causes, merge
from activations.screens.timeline import found_in_run
from segments.models import DataModel
from tests.activations.conftest import Shop, run, segment

if TYPE_CHECKING:
    from destinations.sandbox.base import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "enqueue", lambda run_id: None)


def page_of(staff: Client, shown: Run, **query: str) -> str:
    return " ".join(staff.get(f"/admin/activations/run/{shown.pk}/change/", query).content.decode().split())


@pytest.fixture
def with_odd_sizes(to_attio: Activation) -> Activation:
    FieldMapping(activation=to_attio, column="plan", target="employee_range").save()
    return to_attio


def fill(shop: Shop, valid: int, odd: int) -> None:
    for number in range(1, valid + odd + 1):
        size = "11-50" if number <= valid else f"a size {number}"
        shop.add((number, f"Company {number}", f"company{number}.com", "", size, 1))


def test_rejections_of_one_cause_are_one_entry_with_their_number(
    staff: Client, shop: Shop, attio: Sandbox, with_odd_sizes: Activation
) -> None:
    fill(shop, 2, 5)
    shop.add((50, "No domain", None, "", "", 1))
    ended = run(with_odd_sizes)
    found = [(cause.outcome, cause.field, cause.records) for cause in causes(ended)]
    assert found == [("invalid", "employee_range", 5), ("invalid", "domains", 1)]
    text = page_of(staff, ended)
    assert "2 companies created in Attio, 6 can&#x27;t be sent." in text
    link = f"/admin/activations/activation/{with_odd_sizes.pk}/change/?field=employee_range"
    assert f'href="{link}#step-mapping">Open the mapping' in text
    assert 'id="step-mapping"' in staff.get(link).content.decode()
    only = page_of(staff, ended, outcome="invalid", code=causes(ended)[0].code, field="employee_range")
    assert 'data-listed="5"' in only


def test_reasons_of_an_earlier_run_are_grouped_on_the_page_of_a_later_one(
    staff: Client, shop: Shop, attio: Sandbox, with_odd_sizes: Activation
) -> None:
    fill(shop, 2, 3)
    first = run(with_odd_sizes)
    second = run(with_odd_sizes)
    text = page_of(staff, second)
    assert "Nothing had changed: 2 companies are up to date, 3 can&#x27;t be sent." in text
    assert "Still not accepted since an earlier run" in text
    assert '<strong>3</strong> <span class="d-muted">can&#x27;t be sent</span>' in text
    assert 'data-listed="3"' in page_of(staff, second, outcome="earlier")
    shop.set(3, "plan", "odd")
    run(with_odd_sizes)
    for earlier_run, number in ((first, 0), (second, 3)):
        text = page_of(staff, earlier_run)
        assert "Still not accepted since an earlier run" not in text
        assert ("<strong>3</strong> not accepted since an earlier run" in text) == bool(number)


def test_numbers_agree_after_an_activation_moved_from_a_model_to_a_segment(
    staff: Client, shop: Shop, attio: Sandbox, with_odd_sizes: Activation
) -> None:
    fill(shop, 4, 3)
    run(with_odd_sizes)
    shop.run("update companies set seats = 9 where id in (1, 5, 6)")
    where = {"all": [{"field": "seats", "is": "equals", "value": 9}]}
    with_odd_sizes.segment, with_odd_sizes.model = segment(with_odd_sizes.data_model, where), None
    with_odd_sizes.save(update_fields=["segment", "model"])
    narrowed = run(with_odd_sizes)
    assert (narrowed.rows, narrowed.unchanged, narrowed.invalid, narrowed.left) == (3, 1, 2, 3)
    text = page_of(staff, narrowed)
    assert "3 companies are no longer in the data, and stay in Attio as they are." in text
    assert "<strong>2</strong> not accepted since an earlier run" in text
    assert "2 records have not changed in the source since then." in text
    assert 'data-listed="2"' in page_of(staff, narrowed, outcome="earlier")


def test_record_that_returns_unchanged_states_its_reason_again(
    shop: Shop, attio: Sandbox, with_odd_sizes: Activation
) -> None:
    fill(shop, 1, 1)
    run(with_odd_sizes)
    shop.run("delete from companies where id = 2")
    run(with_odd_sizes)
    fill_again = (2, "Company 2", "company2.com", "", "a size 2", 1)
    shop.add(fill_again)
    returned = run(with_odd_sizes)
    assert [(change.key, change.outcome) for change in returned.changes.all()] == [("2", "invalid")]


def test_values_that_are_not_options_are_named_with_their_numbers(
    staff: Client, shop: Shop, attio: Sandbox, with_odd_sizes: Activation
) -> None:
    fill(shop, 1, 0)
    for key, size in enumerate(["huge", "huge", "tiny"], 2):
        shop.add((key, f"Company {key}", f"company{key}.com", "", size, 1))
    ended = run(with_odd_sizes)
    assert "Not among the options of Employee range: “huge” (2) and “tiny” (1)." in page_of(staff, ended)
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_run"))
    client = Client()
    client.force_login(viewer)
    assert "huge" not in page_of(client, ended)


def test_rows_that_share_a_match_value_are_one_cause_and_are_named(
    staff: Client, shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    DataModel.objects.update(display_column="name")
    for key, domain in enumerate(["a.com", "a.com", "a.com", "b.com", "b.com"], 1):
        shop.add((key, f"Twin {key}", domain, "", "", 1))
    ended = run(to_attio)
    (cause,) = causes(ended)
    together = [cause.name, *(other.name for other in cause.others)]
    assert (cause.records, together) in [(5, ["Twin 1", "Twin 2", "Twin 3"]), (5, ["Twin 4", "Twin 5"])]
    assert f"{len(together)} rows share a match value: " in cause.message
    listed = page_of(staff, ended).partition('id="causes"')[2].partition("</section>")[0]
    assert all(f">{name}</a>" in listed for name in together)


def test_what_can_not_be_sent_is_told_while_the_run_is_still_planning(staff: Client, refused: Run) -> None:
    Run.objects.update(state="planning")
    text = page_of(staff, refused)
    assert "These can't be sent as they are (so far)" in text
    assert "@Because." in text


def test_messages_that_differ_in_values_alone_are_one_cause() -> None:
    groups = [
        Group("rejected", "size", "plan", "'a' has 7 characters too many.", 2, 9),
        Group("rejected", "size", "plan", "'b' has 12 characters too many.", 3, 4),
        Group("rejected", "size", "name", "'b' has 12 characters too many.", 1, 5),
        Group("rejected", "size", "plan", "It is too long.", 1, 6),
    ]
    assert [(group.field, group.records, group.first) for group in merge(groups)] == [
        ("plan", 5, 4),
        ("name", 1, 5),
        ("plan", 1, 6),
    ]


def test_changed_field_is_shown_with_the_value_that_was_accepted_before(
    staff: Client, shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(2)
    run(to_attio)
    shop.set(1, "name", "Renamed")
    changed = run(to_attio)
    text = page_of(staff, changed)
    assert '<b>Name</b>: <span class="d-muted">Company 1</span> <span aria-hidden="true">→</span>' in text
    shop.set(1, "name", "Once more")
    Change.objects.all().delete()
    assert '<span class="d-muted">unknown</span>' in page_of(staff, run(to_attio))


def test_page_of_a_record_shows_its_request_and_what_was_tried(
    staff: Client, shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(1)
    change = run(to_attio).changes.get()
    text = " ".join(staff.get(f"/admin/activations/change/{change.pk}/change/").content.decode().split())
    assert "<dt>Attempts</dt><dd>1</dd>" in text
    assert "Domains: company1.com" in text
    assert change.remote_id in text
    assert 'id="exchange-request"' in text
    change.exchange_id = None
    change.save()
    assert "no longer kept" in staff.get(f"/admin/activations/change/{change.pk}/change/").content.decode()


def test_records_are_found_by_name_key_domain_and_id(
    staff: Client, shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(12)
    ended = run(to_attio)
    Change.objects.filter(run=ended, key="7").update(name="Acme SARL", key="K-77")
    remote_id = Change.objects.get(run=ended, key="K-77").remote_id
    for text in ("sarl", "company7.com", "K-7", remote_id[:20]):
        assert 'data-listed="1"' in page_of(staff, ended, q=text), text


def test_number_of_queries_does_not_depend_on_the_number_of_records(
    staff: Client, shop: Shop, attio: Sandbox, with_odd_sizes: Activation
) -> None:
    fill(shop, 2, 2)
    small = run(with_odd_sizes)
    few = queries(staff, small)
    Activation.objects.update(hold_size_percent=None)
    shop.run("update companies set name = name || ' Ltd', plan = 'none'")
    shop.add(*((n, f"Company {n}", f"company{n}.com", "", "11-50", 1) for n in range(100, 140)))
    assert queries(staff, run(with_odd_sizes)) <= few + 1


def test_a_long_list_says_that_it_shows_the_first_records_alone(
    staff: Client, refused: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_list, "MOST_LISTED", 1)
    Run.objects.update(rejected=7)
    everything, rejected = page_of(staff, refused), page_of(staff, refused, outcome="rejected")
    assert "1+ record" in everything
    # The run has counted them, so that the number is exact.
    assert 'data-listed="7"' in rejected
    assert "1+ record" not in rejected


def test_a_large_run_is_searched_for_beginnings(staff: Client, refused: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    change = refused.changes.order_by("pk").first()
    assert change is not None
    change.name = "Northwind Traders"
    change.save()
    monkeypatch.setattr(found_in_run, "is_by_beginning", lambda run: True)
    assert "Northwind Traders" in page_of(staff, refused, q="northw")
    assert "Northwind Traders" not in page_of(staff, refused, q="traders")


def queries(staff: Client, shown: Run) -> int:
    staff.get("/admin/")
    with CaptureQueriesContext(connection) as captured:
        assert staff.get(f"/admin/activations/run/{shown.pk}/change/").status_code == 200
    return len(captured)


@pytest.fixture
def refused(to_attio: Activation) -> Run:
    """A run in which records were not accepted for different reasons."""
    ended = Run.objects.create(activation=to_attio, number=1, state="completed_with_warnings", trigger="manual")
    common = {"run": ended, "epoch": 1, "is_new": True, "state": "settled", "key_digest": 1}
    outcomes = {"a": "accepted", "b": "rejected", "=cmd()": "invalid", "d": "skipped", "e": "unknown", "f": "not_sent"}
    for key, outcome in outcomes.items():
        Change.objects.create(
            **common, key=key, outcome=outcome, name="+1 Company", message="@Because.", values={"name": "Ünïted"}
        )
    return ended


def rows_of(answer: Any) -> list[list[str]]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_what_was_not_sent_is_downloaded_without_formulas(
    staff: Client, refused: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "ROWS_AT_A_TIME", 1)
    answer = staff.get(f"/admin/activations/run/{refused.pk}/download/")
    assert "attachment" in answer["Content-Disposition"]
    header, *rows = rows_of(answer)
    assert header == ["key", "name", "outcome", "reason", "field", "values"]
    assert [row[0] for row in rows] == ["b", "'=cmd()", "e", "f", "d"]
    assert rows[0] == ["b", "'+1 Company", "Rejected", "'@Because.", "", "name: Ünïted"]


def test_records_need_the_permission_to_view_them(refused: Run) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_run"))
    browser = Client()
    browser.force_login(viewer)
    page = browser.get(f"/admin/activations/run/{refused.pk}/change/")
    assert (page.status_code, b"+1 Company" in page.content, b"download" in page.content) == (200, False, False)
    assert browser.get(f"/admin/activations/run/{refused.pk}/download/").status_code == 403
    assert browser.get(f"/admin/activations/change/{refused.changes.latest('pk').pk}/change/").status_code != 200


def test_what_failed_is_retried_by_a_button(
    staff: Client, shop: Shop, attio: Sandbox, with_odd_sizes: Activation
) -> None:
    fill(shop, 1, 1)
    ended = run(with_odd_sizes)
    assert "Retry now" in page_of(staff, ended)
    shop.set(2, "plan", "11-50")
    answer = staff.post(f"/admin/activations/run/{ended.pk}/do/retry/")
    retried = Run.objects.latest("pk")
    assert (answer.status_code, retried.state, retried.pk != ended.pk) == (302, "queued", True)
    while execute(retried.pk):
        pass
    retried.refresh_from_db()
    assert retried.accepted == 1
    assert "Retry now" not in page_of(staff, retried)


def test_list_of_runs_says_what_happened_and_filters(
    staff: Client, shop: Shop, attio: Sandbox, with_odd_sizes: Activation
) -> None:
    fill(shop, 1, 1)
    run(with_odd_sizes)
    run(with_odd_sizes, dry_run=True)
    listed = staff.get("/admin/activations/run/?show=problems").content.decode()
    assert "1 company created in Attio, 1 can&#x27;t be sent." in listed
    assert "To Attio · dry run" not in listed
    assert "To Attio · dry run" in staff.get("/admin/activations/run/?show=dry").content.decode()


@pytest.mark.parametrize("body", ["[" * 8_000 + "]" * 8_000, "[" * 900 + "]" * 900, "[" * 100, "<html>"])
def test_response_that_is_nested_too_deeply_is_shown_as_it_is(body: str) -> None:
    assert exchanges.readable(body) == body
