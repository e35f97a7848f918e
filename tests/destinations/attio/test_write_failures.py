"""Writing companies: how rejections, conflicts, rate limits and lost answers are reported."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from core.errors import Misconfigured, Unavailable
from destinations.contract import Verb
from destinations.kit.headers import retry_after
from destinations.sandbox.wire import Fault
from destinations.services.attio.client import Client
from tests.destinations.attio.conftest import TOKEN, Write, record

if TYPE_CHECKING:
    from collections.abc import Callable

    from destinations.services.attio.sandbox.server import AttioSandbox

pytestmark = pytest.mark.usefixtures("fields")


@pytest.mark.parametrize(("status", "code"), [(400, "quota_exceeded"), (403, "billing_error"), (402, "billing_error")])
def test_full_workspace_stops_the_run_whatever_the_status(
    write: Write, switch: Callable[..., None], sandbox: AttioSandbox, status: int, code: str
) -> None:
    switch(record_cap={"most": 1, "status": status, "code": code})
    write(Verb.UPSERT, "acme.com", {})
    with pytest.raises(Misconfigured, match="plan") as problem:
        write(Verb.UPSERT, "other.com", {})
    assert problem.value.code == code
    assert len(sandbox.state()["records"]) == 1


def test_attribute_archived_during_a_run_stops_it(write: Write, switch: Callable[..., None]) -> None:
    switch(archive=["description"])
    with pytest.raises(Misconfigured) as problem:
        write(Verb.UPSERT, "acme.com", {"description": "x"})
    assert (problem.value.code, problem.value.where) == ("attribute_missing", "description")


@pytest.mark.parametrize(
    ("switches", "code"),
    [({"revoked": True}, "unauthorized"), ({"scopes": "object_configuration:read"}, "unauthorized")],
)
def test_token_revoked_during_a_run_stops_it(
    write: Write, switch: Callable[..., None], switches: dict[str, Any], code: str
) -> None:
    switch(**switches)
    with pytest.raises(Misconfigured) as problem:
        write(Verb.UPSERT, "acme.com", {"name": "Acme"})
    assert problem.value.code == code
    assert TOKEN not in problem.value.message + problem.value.detail


def test_temporary_conflicts_can_be_retried(write: Write, switch: Callable[..., None]) -> None:
    known = write(Verb.UPSERT, "acme.com", {"name": "Acme"})
    switch(concurrent_write_conflicts=1)
    with pytest.raises(Unavailable) as problem:
        write(Verb.UPSERT, "acme.com", {"name": "New"})
    assert not problem.value.ambiguous
    assert not problem.value.throttled
    switch(merging=[known.remote_id])
    with pytest.raises(Unavailable) as problem:
        write(Verb.UPDATE, "acme.com", {"name": "New"}, changed="name", remote_id=known.remote_id)
    assert problem.value.code == "merge_in_progress"
    assert not problem.value.ambiguous


def test_throttled_write_reports_the_wait_from_a_date(
    write: Write, switch: Callable[..., None], sandbox: AttioSandbox
) -> None:
    switch(writes_per_second=1)
    write(Verb.UPSERT, "acme.com", {"name": "Acme"})
    with pytest.raises(Unavailable) as problem:
        write(Verb.UPSERT, "acme.com", {"name": "New"})
    assert problem.value.throttled
    assert not problem.value.ambiguous
    assert problem.value.retry_after is not None
    assert 0 <= problem.value.retry_after <= 1
    assert record(sandbox, "acme.com")["values"]["name"] == "Acme"


def test_throttled_write_reports_the_wait_in_seconds(write: Write, sandbox: AttioSandbox) -> None:
    sandbox.faults.append(Fault("reply", status=429, body={}, headers={"Retry-After": "2"}))
    with pytest.raises(Unavailable) as problem:
        write(Verb.UPSERT, "acme.com", {})
    assert problem.value.retry_after == 2


def test_retry_date_is_compared_with_attios_clock_if_known() -> None:
    our_time = datetime(2030, 1, 1, tzinfo=UTC)
    header = {"Retry-After": "Tue, 23 May 2023 14:42:01 GMT"}
    seconds_to_wait = partial(retry_after, tolerance_seconds=Client.clock_tolerance_seconds)
    assert seconds_to_wait({**header, "Date": "Tue, 23 May 2023 14:42:00 GMT"}, our_time) == 1
    assert seconds_to_wait({**header, "Date": "nonsense"}, datetime(2023, 5, 23, 14, 41, 59, tzinfo=UTC)) == 2
    assert seconds_to_wait({**header, "Date": "Tue, 23 May 2023 14:42:00 -0000"}, our_time) == 1
    assert seconds_to_wait(header, our_time) == 0
    assert seconds_to_wait({"Date": "Tue, 23 May 2023 14:42:00 GMT"}, our_time) is None


@pytest.mark.parametrize(
    ("fault", "applied"),
    [
        (Fault("reply", status=500, body={"message": "oops"}), False),
        (Fault("reply", status=502, body="<html>Bad gateway</html>"), False),
        (Fault("reply", status=200, body="<html>Welcome</html>"), False),
        (Fault("reply", status=200, body=""), False),
        (Fault("reply", status=200, body={"data": {}}), False),
        (Fault("cut"), False),
        (Fault("cut_after"), True),
    ],
)
def test_write_without_a_usable_answer_is_ambiguous(
    write: Write, sandbox: AttioSandbox, fault: Fault, applied: bool
) -> None:
    sandbox.faults.append(fault)
    with pytest.raises(Unavailable) as problem:
        write(Verb.UPSERT, "acme.com", {"name": "Acme"})
    assert problem.value.ambiguous
    assert not problem.value.throttled
    assert bool(sandbox.state()["records"]) is applied


def test_late_answer_is_ambiguous(write: Write, sandbox: AttioSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.http.READ_SECONDS", 0.2)
    sandbox.faults.append(Fault("delay_after", seconds=0.6))
    with pytest.raises(Unavailable) as problem:
        write(Verb.UPSERT, "acme.com", {"name": "Acme"})
    assert (problem.value.code, problem.value.ambiguous) == ("timeout", True)
    assert write(Verb.UPSERT, "acme.com", {"name": "Acme"}).remote_id == record(sandbox, "acme.com")["id"]
