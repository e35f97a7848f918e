"""The walls of the house: floors, rooms, pure modules, plug-ins and sizes. Each rule fails on a planted violation."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache, cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {
    "core": {"core"},
    "segments": {"core", "segments"},
    "destinations": {"core", "destinations"},
    "activations": {"core", "segments", "destinations", "activations"},
    "dinmo": {"core", "segments", "destinations", "activations", "dinmo"},
}
"""Each package with those that it may import."""

ROOMS = {
    "core": "errors audit text secrets logs plugins parameters network http health commands pg_copy prefetch "
    "failpoints database web templatetags",
    "segments": "permission_grants contract registry values isolation models conditions session sql integrity "
    "reading sources engines apps tasks screens admin",
    "destinations": "contract answer_times answers kit sandbox conformance registry simulators models vendor discovery "
    "lanes pacing services screens forms admin api",
    "activations": "text_template warning_kinds models reasons digests setup vendor_session runs scheduling storage "
    "alerts guards planning pauses delivery attaching finish execute apps tasks screens admin management",
    "dinmo": "keys environment security formats mail celery local site permissions accounts settings problems "
    "workspace demo start docs audit overview monitoring rows reporting backup apps navigation admin api urls wsgi "
    "management",
}
"""The rooms and single modules of each package, in the order in which they may import those before them."""

LARGEST_MODULE, LONGEST_FUNCTION = 250, 40
"""In lines."""
LARGEST_ROOM, LARGEST_APP = 14, 12
"""In modules, without `__init__`; of an app, those that lie in no room."""
STANDARD_NAMES = {"http", "secrets", "platform", "site"}
"""Names of the standard library that modules may have: plug-ins and migrations import two of them."""
FRAMEWORKS = {"django", "rest_framework", "unfold", "celery", "django_celery_beat"}
ENGINE_MAY = (
    "core.",
    "segments.contract",
    "segments.values",
    "segments.sql.",
    "segments.conditions.",
    "segments.engines.",
)


@dataclass(frozen=True)
class Module:
    """A module of ours by its dotted name."""

    name: str
    source: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the tree. The rules pass over it many times; walking a tree takes long."""
        return tuple(ast.walk(self.tree))

    @property
    def is_package(self) -> bool:
        return self.name.endswith(".__init__")

    @property
    def dotted(self) -> str:
        return self.name.removesuffix(".__init__")

    @property
    def floor(self) -> str:
        return self.name.partition(".")[0]

    @property
    def is_pure(self) -> bool:
        return (ast.get_docstring(self.tree) or "").startswith("PURE")

    @cached_property
    def _imports(self) -> dict[bool, tuple[str, ...]]:
        skipped = set(chain.from_iterable(map(ast.walk, _type_checking(self.nodes))))
        runtime = [node for node in self.nodes if node not in skipped]
        return {False: tuple(_imported(self.nodes)), True: tuple(_imported(runtime))}

    def imports(self, *, at_runtime: bool = False) -> tuple[str, ...]:
        """The dotted names that it imports; `at_runtime` leaves out those for type checkers alone."""
        return self._imports[at_runtime]


def _imported(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _type_checking(nodes: Iterable[ast.AST]) -> Iterator[ast.stmt]:
    for node in nodes:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            yield from node.body


Modules = dict[str, Module]


@cache
def ours() -> Modules:
    """Every module of the product, migrations left out."""
    found: Modules = {}
    for path in chain.from_iterable(sorted((ROOT / floor).rglob("*.py")) for floor in FLOORS):
        if "migrations" not in path.parts:
            module = Module(".".join(path.relative_to(ROOT).with_suffix("").parts), path.read_text())
            found[module.dotted] = module
    return found


def resolved(name: str, modules: Mapping[str, Module]) -> str:
    """The module of ours that an imported name is, or is found in; "" if it is none of ours."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name


def graph(modules: Modules, *, at_runtime: bool = False) -> dict[str, set[str]]:
    """Each module with the modules of ours that it imports."""
    return {
        name: {found for imported in module.imports(at_runtime=at_runtime) if (found := resolved(imported, modules))}
        - {name}
        for name, module in modules.items()
    }


def room(name: str) -> str:
    return (*name.split("."), "")[1]


def floors(modules: Modules) -> Iterator[str]:
    for module in modules.values():
        for name in module.imports():
            if name.partition(".")[0] in FLOORS and name.partition(".")[0] not in FLOORS[module.floor]:
                yield f"{module.name} must not import {name}"


def order_of_rooms(modules: Modules) -> Iterator[str]:
    for name, imported in graph(modules).items():
        order = ["", *ROOMS[modules[name].floor].split()]
        if room(name) not in order:
            yield f"{name} is in no known room"
            continue
        for other in imported:
            same_floor = modules[other].floor == modules[name].floor and room(other) in order
            if same_floor and room(name) and order.index(room(other)) > order.index(room(name)):
                yield f"{name} must not import {other}, a later room"


def circles(modules: Modules) -> Iterator[str]:
    """Modules that import one another, by way of others or not; imports for type checkers count."""
    imported = graph(modules)
    done: set[str] = set()
    for start in imported:
        path: list[str] = []
        stack = [(start, iter(sorted(imported[start])))] if start not in done else []
        while stack:
            name, rest = stack[-1]
            path = [one for one, _ in stack]
            following = next(rest, None)
            if following is None:
                done.add(name)
                stack.pop()
            elif following in path:
                yield " → ".join([*path[path.index(following) :], following])
            elif following not in done:
                stack.append((following, iter(sorted(imported[following]))))


def imports_inside_functions(modules: Modules) -> Iterator[str]:
    for module in modules.values():
        for function in module.nodes:
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and any(
                isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(function)
            ):
                yield f"{module.name}.{function.name} imports inside a function"


def impure(modules: Modules) -> Iterator[str]:
    """Modules that call themselves PURE and reach a framework or a model at runtime."""
    imported = graph(modules, at_runtime=True)
    for name, module in modules.items():
        if module.is_pure:
            for reached in _reached(name, imported):
                bad = {one.partition(".")[0] for one in modules[reached].imports(at_runtime=True)} & FRAMEWORKS
                if bad or room(reached) == "models":
                    yield f"{name} is PURE, but reaches {', '.join(bad) or 'a model'} by way of {reached}"


def _reached(start: str, imported: Mapping[str, Iterable[str]]) -> set[str]:
    found, todo = {start}, [start]
    while todo:
        new = set(imported[todo.pop()]) - found
        found |= new
        todo.extend(new)
    return found


def upward_accessors(modules: Modules) -> Iterator[str]:
    """Reverse accessors from a model of ours to a model of a higher floor."""
    for accessor, owner in _accessors(modules):
        for module in modules.values():
            if owner not in FLOORS[module.floor]:
                for node in module.nodes:
                    if isinstance(node, ast.Attribute) and node.attr == accessor:
                        yield f"{module.name}:{node.lineno} reaches up through .{accessor}"


def _accessors(modules: Modules) -> Iterator[tuple[str, str]]:
    """The reverse accessors that foreign keys to models of a lower floor add there, with the floor that adds them."""
    for module in modules.values():
        if room(module.dotted) != "models":
            continue
        lower = {name.rpartition(".")[2] for name in module.imports() if name.partition(".")[0] != module.floor}
        for call in module.nodes:
            if (
                isinstance(call, ast.Call)
                and call.args
                and isinstance(call.args[0], ast.Name)
                and call.args[0].id in lower
            ):
                for keyword in call.keywords:
                    if keyword.arg == "related_name" and isinstance(keyword.value, ast.Constant):
                        yield str(keyword.value.value), module.floor


def plug_ins(modules: Modules) -> Iterator[str]:
    """A service or an engine imports its contract, core and its own folder, never a different plug-in."""
    for module in modules.values():
        parts = module.dotted.split(".")
        if parts[:2] == ["destinations", "services"] and len(parts) > 2:
            allowed = _service_may(parts, module)
        elif parts[:2] == ["segments", "engines"] and len(parts) > 2:
            allowed = lambda name: name.startswith(ENGINE_MAY)  # noqa: E731
        else:
            continue
        yield from (
            f"{module.name} must not import {name}"
            for name in module.imports()
            if name.partition(".")[0] in FLOORS and not allowed(name)
        )


def _service_may(parts: list[str], module: Module) -> Callable[[str], bool]:
    own = ".".join(parts[:3]) + "."
    simulates = parts[3:4] == ["sandbox"]

    def allowed(name: str) -> bool:
        if name.startswith(own):
            return simulates or not name.startswith(f"{own}sandbox")
        framework = "destinations.sandbox." if simulates else "destinations.conformance"
        return name.startswith(("core.", "destinations.contract", "destinations.kit", framework))

    return allowed


def sizes(modules: Modules) -> Iterator[str]:
    for module in modules.values():
        lines = len(module.source.splitlines())
        if lines > LARGEST_MODULE:
            yield f"{module.name} has {lines} lines"
        for node in module.nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno
                if node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION:
                    yield f"{module.name}.{node.name} has {node.end_lineno - node.lineno + 1} lines"


def crowded_rooms(modules: Modules) -> Iterator[str]:
    counted = Counter(name.rpartition(".")[0] for name, module in modules.items() if not module.is_package)
    for name, number in counted.items():
        most = LARGEST_ROOM if "." in name or name == "dinmo" else LARGEST_APP
        if number > most:
            yield f"{name} has {number} modules"


def standard_names(modules: Modules) -> Iterator[str]:
    for name in modules:
        last = name.rpartition(".")[2]
        if last in sys.stdlib_module_names and last not in STANDARD_NAMES and last != "__main__":
            yield f"{name} has the name of a standard module"


def loosely_typed_pure_modules(modules: Modules) -> Iterator[str]:
    """PURE modules that mypy does not check as strictly as `mypy --strict`."""
    overrides = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["overrides"]
    strict = next(each["module"] for each in overrides if each.get("disallow_any_generics"))
    for name, module in modules.items():
        if module.is_pure and not any(
            fnmatchcase(name, pattern) or fnmatchcase(name, pattern.removesuffix(".*")) for pattern in strict
        ):
            yield f"{name} is PURE, but not in the strict list of pyproject.toml"


RULES: dict[Callable[[Modules], Iterator[str]], list[dict[str, str]]] = {
    floors: [
        {"core.errors": "from segments import models"},
        {"segments.reading.read": "import destinations.models"},
        {"destinations.vendor": "from activations.models import Run"},
        {"activations.planning.plan": "import dinmo.settings"},
    ],
    order_of_rooms: [
        {"activations.setup.rules": "from activations.planning import plan", "activations.planning.plan": ""},
        {"segments.models": "from segments.screens import forms", "segments.screens.forms": ""},
        {"activations.odds_and_ends": ""},
    ],
    circles: [
        {"core.a": "from core import b", "core.b": "from core import a"},
        {"core.a": "import core.b", "core.b": "import core.c", "core.c": "if TYPE_CHECKING:\n    import core.a"},
    ],
    imports_inside_functions: [{"activations.planning.plan": "def plan():\n    import json"}],
    impure: [
        {"core.a": '"""PURE. Nothing else."""\nfrom django.db import models'},
        {"core.a": '"""PURE."""\nimport core.b', "core.b": "import celery"},
        {"core.a": '"""PURE."""\nimport activations.models.run', "activations.models.run": ""},
    ],
    upward_accessors: [
        {
            "activations.models.x": "from segments.models import A\nmodels.ForeignKey(A, related_name='actors')",
            "segments.screens.x": "segment.actors.all()",
        }
    ],
    plug_ins: [
        {"destinations.services.attio.client": "from destinations.models import Connection"},
        {"destinations.services.attio.client": "from destinations.services.intercom import client"},
        {"destinations.services.attio.client": "from destinations.services.attio.sandbox import server"},
        {"destinations.services.attio.client": "from destinations.sandbox.base import Sandbox"},
        {"segments.engines.sqlite.engine": "from segments.models import Source"},
    ],
    sizes: [{"core.a": "\n" * 251}, {"core.a": "def long():\n" + "    x = 1\n" * 40}],
    crowded_rooms: [{f"activations.runs.m{n}": "" for n in range(15)}, {f"segments.m{n}": "" for n in range(13)}],
    standard_names: [{"core.types": ""}],
    loosely_typed_pure_modules: [{"activations.execute": '"""PURE."""'}],
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps(rule: Callable[[Modules], Iterator[str]]) -> None:
    assert list(rule(ours())) == []


@pytest.mark.parametrize(
    ("rule", "planted"),
    [(rule, planted) for rule, cases in RULES.items() for planted in cases],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_planted_violation_is_found(rule: Callable[[Modules], Iterator[str]], planted: dict[str, str]) -> None:
    modules = {name: Module(name, source) for name, source in planted.items()}
    assert list(rule(modules))
