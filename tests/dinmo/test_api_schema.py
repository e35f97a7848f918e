"""The description of the API: complete, for everybody who is signed in, and what the endpoints really return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from jsonschema import Draft202012Validator

from core.web.api.document import document
from tests.dinmo.attacks import patterns
from tests.scan.api import strict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from activations.models import Activation

pytestmark = pytest.mark.django_db


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each path and method, with its description."""
    for path, methods in strict(document())["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def with_nulls(schema: Any) -> Any:
    """The schema as JSON Schema has it, which knows no `nullable`."""
    if isinstance(schema, list):
        return [with_nulls(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: with_nulls(item) for name, item in schema.items() if name != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain


def mistakes(operation: dict[str, Any], status: int, content: Any) -> list[str]:
    """What the description of an operation does not allow in its answer."""
    answer = operation["responses"].get(str(status))
    if answer is None:
        return [f"status {status}"]
    schema = with_nulls(answer["content"]["application/json"]["schema"])
    return [f"{error.json_path}: {error.message}"[:200] for error in Draft202012Validator(schema).iter_errors(content)]


def test_every_address_of_the_api_is_described() -> None:
    described = {path.replace("{id}", "<int:pk>") for path, _, _ in operations()}
    assert described == {path for path in patterns() if path.startswith("/api/")}


def test_every_operation_says_what_it_returns() -> None:
    for path, method, operation in operations():
        success = {status: answer for status, answer in operation["responses"].items() if status.startswith("2")}
        assert success, (method, path)
        for status, answer in success.items():
            assert status == "204" or answer["content"]["application/json"]["schema"], (method, path, status)
        assert {"400", "403", "404", "503"} <= set(operation["responses"]), (method, path)


def test_description_is_for_people_who_are_signed_in() -> None:
    viewer = Client()
    viewer.force_login(User.objects.create_user("viewer", is_staff=True))
    assert Client().get("/api/schema/").status_code == 403
    assert viewer.get("/api/schema/").json()["paths"]["/api/issues/"]


def test_what_is_read_is_as_described(staff: Client, one_of_each: Activation) -> None:
    """Strictly: a property that is not described is a mistake too."""
    answered = 0
    for path, method, operation in operations():
        if method == "get" and not path.startswith(("/api/trigger/", "/api/schema/")):
            response = staff.get(path.replace("{id}", "1"))
            assert mistakes(operation, response.status_code, response.json()) == [], path
            answered += response.status_code == 200
    assert answered > 12


def test_a_planted_mistake_is_found() -> None:
    issues = next(operation for path, _, operation in operations() if path == "/api/issues/")
    right = {"subject": "Beat", "kind": "process", "id": None, "label": "x", "severity": "error", "message": "x"}
    assert mistakes(issues, 200, {"issues": [right]}) == []
    for wrong in ({**right, "id": "1"}, {**right, "more": 1}, {"subject": "Beat"}):
        assert mistakes(issues, 200, {"issues": [wrong]})
    assert mistakes(issues, 418, {}) == ["status 418"]
