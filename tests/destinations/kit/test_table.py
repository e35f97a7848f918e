"""The records of a simulator: checked like the vendor's, and unchanged by a request that is refused."""

from __future__ import annotations

from typing import Any

import pytest

from destinations.sandbox.table import Attribute, Table
from destinations.sandbox.wire import ApiError


@pytest.fixture
def table() -> Table:
    return Table(
        Attribute("key", unique=True),
        Attribute("size", "number"),
        Attribute("active", "boolean"),
        Attribute("day", "date"),
        Attribute("score", writable=False),
        Attribute("old", archived=True),
    )


def test_record_is_created_changed_and_found(table: Table) -> None:
    record = table.save({"key": "a", "size": 1})
    table.save({"key": "b", "size": None}, record["id"])
    assert table.find("key", "a") is None
    assert table.find("key", "b") is record
    assert record["size"] is None
    table.save({"key": "a"})
    assert len(table.records) == 2


@pytest.mark.parametrize(
    ("values", "status", "code"),
    [
        ({"none": 1}, 422, "unknown_attribute"),
        ({"old": "x"}, 422, "unknown_attribute"),
        ({"score": "1"}, 422, "read_only"),
        ({"size": "1"}, 422, "invalid_value"),
        ({"size": True}, 422, "invalid_value"),
        ({"day": "31/12"}, 422, "invalid_value"),
        ({"active": 1}, 422, "invalid_value"),
        ({"key": "taken"}, 409, "taken"),
        ([], 422, "invalid_body"),
    ],
)
def test_refused_request_changes_nothing(table: Table, values: Any, status: int, code: str) -> None:
    table.save({"key": "taken"})
    known = table.save({"key": "mine", "size": 5})
    before = {remote_id: dict(record) for remote_id, record in table.records.items()}
    sent = {"size": 6, **values} if isinstance(values, dict) else values
    with pytest.raises(ApiError) as refused:
        table.save(sent, known["id"])
    assert (refused.value.status, refused.value.code) == (status, code)
    assert table.records == before
    assert table.find("key", "mine") is known


def test_unknown_record_is_not_found(table: Table) -> None:
    with pytest.raises(ApiError) as missing:
        table.save({"key": "x"}, "none")
    assert missing.value.status == 404
