"""Error answers in Intercom's format, for tests."""

from __future__ import annotations

from typing import Any


def error_list(code: str, message: str = "Not possible", **details: Any) -> dict[str, Any]:
    return {"type": "error.list", "request_id": "req-1", "errors": [{"code": code, "message": message, **details}]}
