"""Attio's refusals, in the shape and the words of recorded answers."""

from __future__ import annotations

from typing import Any

from destinations.sandbox.wire import Reply


class Refusal(Exception):
    """Ends the request with an error; nothing of it is stored."""

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
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"status_code": status, "type": kind, "code": code, "message": message}
        if errors:
            self.body["validation_errors"] = errors
        self.headers = headers or {}

    def reply(self) -> Reply:
        return Reply(self.status, self.body, self.headers)


def not_found(message: str) -> Refusal:
    return Refusal("not_found", message, status=404)


def auth(status: int, message: str) -> Refusal:
    return Refusal("unauthorized", message, status=status, kind="auth_error")


def payload(path: list[str], expected: str, received: str) -> Refusal:
    return Refusal("validation_type", "Body payload validation error.", errors=[_type_error(path, expected, received)])


def query(path: list[str], expected: str, received: str) -> Refusal:
    return Refusal("validation_type", "Query params validation error.", errors=[_type_error(path, expected, received)])


def wrong_type(slug: str, expected: str, received: Any, path: list[str] | None = None) -> Refusal:
    """A value of an attribute has the wrong JSON type."""
    return invalid_value(slug, [_type_error(path or [], expected, json_type(received))])


def wrong_value(slug: str, message: str, path: list[str] | None = None) -> Refusal:
    """A value of an attribute has the right type, and does not fit."""
    return invalid_value(slug, [{"code": "invalid", "path": path or [], "message": message}])


def invalid_value(slug: str, errors: list[dict[str, Any]]) -> Refusal:
    return Refusal("validation_type", f'An invalid value was passed to attribute with slug "{slug}".', errors=errors)


def required(keys: list[str]) -> list[dict[str, Any]]:
    """The errors of an object that lacks keys."""
    return [_type_error([key], "string", "undefined") for key in keys]


def json_type(value: Any) -> str:
    """The word that the validation uses for a type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    words = {"str": "string", "list": "array", "dict": "object"}
    return words.get(type(value).__name__, "undefined")


def _type_error(path: list[str], expected: str, received: str) -> dict[str, Any]:
    message = "Required" if received == "undefined" else f"Expected {expected}, received {received}"
    return {"code": "invalid_type", "path": path, "message": message, "expected": expected, "received": received}
