"""The number of requests for each record in a large run. `RATIO_ROWS=10000` makes it larger."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from activations.models import Activation, Record, Run
from segments.sources.discovery import refresh_columns
from tests.activations.conftest import Shop, map_fields, run

if TYPE_CHECKING:
    from destinations.sandbox.base import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = int(os.environ.get("RATIO_ROWS", "200"))
CHANGED = ROWS // 10
WRITES, ATTIO_LOOKUPS, INTERCOM_LOOKUPS = 1.01, 0.05, 1


@pytest.fixture(params=["attio", "intercom"])
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def vendor(service: str, request: pytest.FixtureRequest) -> Sandbox:
    return request.getfixturevalue(service)


@pytest.fixture
def activation(service: str, vendor: Sandbox, request: pytest.FixtureRequest) -> Activation:
    return request.getfixturevalue(f"to_{service}")


def in_mode(activation: Activation, mode: str) -> Activation:
    Activation.objects.filter(pk=activation.pk).update(mode=mode)
    return Activation.objects.get(pk=activation.pk)


def report(record_property: Any, name: str, done: Run, records: int) -> None:
    """Prints the numbers of requests, for a run of this module with many rows."""
    counts = {purpose: getattr(done, f"{purpose}_requests") for purpose in ("discovery", "lookup", "write")}
    record_property(name, counts)
    print(f"{name}: {records} records, {counts}")


def change_some(shop: Shop) -> None:
    shop.run(f"update companies set name = 'Renamed ' || id where id <= {CHANGED}")


def test_upsert_sends_one_write_for_each_changed_record_and_none_without_changes(
    shop: Shop, vendor: Sandbox, activation: Activation, service: str, record_property: Any
) -> None:
    shop.fill(ROWS)
    first = run(activation)
    report(record_property, f"{service}: upsert, all new", first, ROWS)
    assert first.accepted == ROWS
    assert first.lookup_requests <= (ATTIO_LOOKUPS * ROWS if service == "attio" else 0)
    assert first.write_requests <= WRITES * ROWS
    change_some(shop)
    second = run(activation)
    report(record_property, f"{service}: upsert, a tenth changed", second, CHANGED)
    assert (second.accepted, second.unchanged, second.lookup_requests) == (CHANGED, ROWS - CHANGED, 0)
    assert second.write_requests <= WRITES * CHANGED
    third = run(activation)
    report(record_property, f"{service}: upsert, nothing changed", third, 0)
    assert (third.unchanged, third.lookup_requests, third.write_requests) == (ROWS, 0, 0)
    assert third.discovery_requests > 0


def test_update_mode_looks_up_new_records_in_batches_and_known_ones_never(
    shop: Shop, vendor: Sandbox, activation: Activation, service: str, record_property: Any
) -> None:
    shop.fill(ROWS)
    run(activation)
    Record.objects.all().delete()
    shop.add(*((ROWS + n, f"Unknown {n}", f"unknown{n}.com", "", "pro", n) for n in range(1, CHANGED + 1)))
    activation = in_mode(activation, "update")
    first = run(activation)
    report(record_property, f"{service}: update, all new", first, ROWS + CHANGED)
    # With Attio, the records are compared first, and all of them hold these values already.
    assert (first.accepted, first.matched) == ((0, ROWS) if service == "attio" else (ROWS, 0))
    assert first.skipped == CHANGED
    assert first.lookup_requests <= (ATTIO_LOOKUPS if service == "attio" else INTERCOM_LOOKUPS) * (ROWS + CHANGED)
    assert first.write_requests <= WRITES * ROWS
    change_some(shop)
    second = run(activation)
    report(record_property, f"{service}: update, a tenth changed", second, CHANGED)
    assert (second.accepted, second.lookup_requests) == (CHANGED, 0)
    assert second.write_requests <= WRITES * CHANGED
    third = run(activation)
    assert (third.lookup_requests, third.write_requests) == (0, 0)


def test_record_looked_up_in_one_slice_is_not_looked_up_in_the_next(
    shop: Shop, intercom: Sandbox, to_intercom: Activation, settings: Any
) -> None:
    shop.fill(300)
    intercom._switch({"companies": [{"company_id": str(key)} for key in range(1, 301)]})
    settings.RUN_SLICE_SECONDS = 0.3
    done = run(in_mode(to_intercom, "update"))
    assert (done.accepted, done.lookup_requests, done.write_requests) == (300, 300, 300)
    assert done.epoch > 2, "the run took several slices"


@pytest.mark.parametrize("existing", [False, True])
def test_parts_of_a_location_need_no_lookup_for_each_record(
    existing: bool, shop: Shop, attio: Sandbox, to_attio: Activation, record_property: Any
) -> None:
    shop.fill(ROWS)
    if existing:
        run(to_attio)
        Record.objects.all().delete()
    shop.run("alter table companies add column city text default 'Paris'")
    refresh_columns(to_attio.data_model)
    done = run(map_fields(to_attio, ("city", "primary_location.locality")))
    report(record_property, f"attio: upsert of a part, {'all existing' if existing else 'all new'}", done, ROWS)
    assert done.accepted == ROWS
    assert done.lookup_requests <= ATTIO_LOOKUPS * ROWS
    assert done.write_requests <= WRITES * ROWS
    assert run(to_attio).planned == 0
