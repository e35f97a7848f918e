"""Who may import whom: ground ← {segments, destinations} ← activations ← roof, and service folders stay by themselves."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
OURS = {"core", "segments", "destinations", "activations", "dinmo"}
ALLOWED = {
    "core": {"core"},
    "segments": {"core", "segments"},
    "destinations": {"core", "destinations"},
    "activations": {"core", "segments", "destinations", "activations"},
    "dinmo": OURS,
}
SERVICE_MAY = ("core", "destinations.contract", "destinations.conformance", "destinations.sandbox")


def imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.lineno, f"{node.module}.{name.name}") for name in node.names)


def violations(path: Path, source: str) -> Iterator[str]:
    """What in this file looks up to a higher floor, into another room, or hides an import inside a function."""
    tree = ast.parse(source)
    floor = path.parts[0]
    for line, name in imports(tree):
        room = name.split(".")[0]
        if room in OURS and room not in ALLOWED[floor]:
            yield f"{path}:{line} {floor} must not import {name}"
        if path.parts[:2] == ("destinations", "services") and len(path.parts) > 3 and room in OURS:
            own = ".".join(path.parts[:3])
            if not name.startswith((*SERVICE_MAY, own)):
                yield f"{path}:{line} a service folder must not import {name}"
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    yield f"{path}:{node.lineno} import inside a function"


def sources() -> Iterator[Path]:
    for room in sorted(OURS):
        yield from (path.relative_to(ROOT) for path in (ROOT / room).rglob("*.py"))


def test_every_import_stays_on_its_floor() -> None:
    found = [violation for path in sources() for violation in violations(path, (ROOT / path).read_text())]
    assert found == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("core/errors.py", "from segments import models"),
        ("segments/reading/read.py", "import destinations.models"),
        ("destinations/vendor.py", "from activations.models import Run"),
        ("activations/planning/plan.py", "import dinmo.settings"),
        ("destinations/services/attio/client.py", "from destinations.models import Connection"),
        ("destinations/services/attio/client.py", "from destinations.services.intercom import client"),
        ("activations/planning/plan.py", "def plan():\n    import json"),
    ],
)
def test_a_planted_violation_is_found(path: str, source: str) -> None:
    assert list(violations(Path(path), source))
