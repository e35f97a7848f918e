"""Attio's error responses, with the structure and the wording of recorded answers."""

from __future__ import annotations

from typing import Any

from destinations.sandbox import wire
from destinations.sandbox.wire import Reply


class ApiError(wire.ApiError):
    """An error response with Attio's structure."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        errors: list[dict[str, Any]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(status, code, message, headers=headers)
        self.body: dict[str, Any] = {"status_code": status, "type": kind, "code": code, "message": message}
        if errors:
            self.body["validation_errors"] = errors

    def reply(self) -> Reply:
        return Reply(self.status, self.body, self.headers)


def not_found(message: str) -> ApiError:
    return ApiError("not_found", message, status=404)


def auth_error(status: int, message: str) -> ApiError:
    return ApiError("unauthorized", message, status=status, kind="auth_error")


def body_error(path: list[str], expected: str, received: str) -> ApiError:
    return ApiError("validation_type", "Body payload validation error.", errors=[_type_error(path, expected, received)])


def query_error(path: list[str], expected: str, received: str) -> ApiError:
    return ApiError("validation_type", "Query params validation error.", errors=[_type_error(path, expected, received)])


def wrong_type(slug: str, expected: str, received: Any, path: list[str] | None = None) -> ApiError:
    """The value of an attribute has the wrong JSON type."""
    return invalid_value(slug, [_type_error(path or [], expected, json_type(received))])


def wrong_value(slug: str, message: str, path: list[str] | None = None) -> ApiError:
    """The value of an attribute has the right JSON type, but is not valid."""
    return invalid_value(slug, [{"code": "invalid", "path": path or [], "message": message}])


def invalid_value(slug: str, errors: list[dict[str, Any]]) -> ApiError:
    return ApiError("validation_type", f'An invalid value was passed to attribute with slug "{slug}".', errors=errors)


def missing_keys(keys: list[str]) -> list[dict[str, Any]]:
    """The validation errors for an object that lacks these keys."""
    return [_type_error([key], "string", "undefined") for key in keys]


def json_type(value: Any) -> str:
    """The name of a value's type, as Attio's validation reports it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    names = {"str": "string", "list": "array", "dict": "object"}
    return names.get(type(value).__name__, "undefined")


def _type_error(path: list[str], expected: str, received: str) -> dict[str, Any]:
    message = "Required" if received == "undefined" else f"Expected {expected}, received {received}"
    return {"code": "invalid_type", "path": path, "message": message, "expected": expected, "received": received}
