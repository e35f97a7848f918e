"""Finds every error code that can reach a person in the source: in constructors, wrappers and tables of codes."""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("core", "segments", "destinations", "activations", "dinmo")
LEFT_OUT = ("migrations", "sandbox", "conformance")
"""Directories: simulators and the suite of tests answer with a vendor's codes, and report to developers."""
PROBLEM = "Problem"
PLACES = {"Settled": (1, "code"), "Rule": (3, "code"), "failure": (2, "code")}
"""Other constructors and functions that take a code: its position and its name."""
COMPUTED = {
    "core/plugins.py": ("engine_unknown", "platform_unknown", "service_unknown", "simulator_unknown", "sample_unknown"),
    "destinations/kit/client.py": ("api_url_invalid", "address_invalid"),
    "destinations/kit/errors.py": ("rate_limit_exceeded", "http_status", "vendor_code"),
    "destinations/services/attio/values/rejections.py": ("no_type",),
    "activations/finish.py": ("unavailable", "defect"),
    "activations/screens/trigger_api.py": ("token_unknown", "run_unknown", "method_not_allowed", "too_many_requests"),
}
"""Codes that the source computes or passes on as text, by the module that does so."""
ARGUMENTS = {"code", "broken"}
"""What functions call an argument that they pass on as a code."""
NOT_PROBLEMS = ("dinmo/overview", "dinmo/workspace/")
"""Where `Problem` is a class of its own, without a code."""


@dataclass
class Found:
    """What the source says.

    Args:
        codes: each code, with the places where it is used.
        unresolved: places with a code that is computed.
    """

    codes: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    unresolved: set[str] = field(default_factory=set)


class Module:
    """A module's tree, with its parents, its constants and its functions."""

    imported: Mapping[str, ast.expr] = {}
    """Constants of all modules, by their names."""

    def __init__(self, path: Path, root: Path) -> None:
        self.name = path.relative_to(root).as_posix()
        self.tree = ast.parse(path.read_text())
        self.parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}
        assigned = [
            pair
            for node in self.tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            for pair in _pairs(target, node.value)
        ]
        self.constants = {target.id: value for target, value in assigned if isinstance(target, ast.Name)}

    def calls(self) -> Iterator[ast.Call]:
        yield from (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))

    def function_of(self, node: ast.AST) -> ast.FunctionDef | None:
        """The function that a node is part of."""
        while node in self.parents:
            node = self.parents[node]
            if isinstance(node, ast.FunctionDef):
                return node
        return None


def _pairs(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """Each name with its value, also of several that are assigned together."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        return list(zip(target.elts, value.elts, strict=True))
    return [(target, value)]


def scan(root: Path = ROOT) -> Found:
    """Every code in the product below `root`."""
    paths = (path for package in PACKAGES for path in sorted((root / package).rglob("*.py")))
    modules = [Module(path, root) for path in paths if not set(LEFT_OUT) & set(path.parts)]
    shared = {name: value for module in modules for name, value in module.constants.items() if name.isupper()}
    places = {**dict.fromkeys(_problems(modules), (0, "code")), **PLACES}
    wrappers: dict[tuple[str, str], tuple[int, str]] = {}
    known = -1
    while known < len(wrappers):
        known = len(wrappers)
        for key, place in [each for module in modules for each in _wrappers(module, places, wrappers)]:
            wrappers.setdefault(key, place)
    found = Found()
    found = Found()
    for module in modules:
        module.imported = shared
        for call, argument in _arguments(module, places, wrappers):
            _collect(found, module, call, argument)
    return found


def _problems(modules: list[Module]) -> set[str]:
    """The names of `Problem` and all classes derived from it that take a code."""
    classes = [
        node
        for module in modules
        if not module.name.startswith(NOT_PROBLEMS)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef) and _takes_code(node)
    ]
    names = {PROBLEM}
    while new := {node.name for node in classes if names & _bases(node)} - names:
        names |= new
    return names


def _bases(node: ast.ClassDef) -> set[str]:
    return {base.id for base in node.bases if isinstance(base, ast.Name)}


def _takes_code(node: ast.ClassDef) -> bool:
    """Whether its constructor, if it has one of its own, takes a code."""
    own = [each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"]
    return not own or "code" in {argument.arg for argument in own[0].args.args}


def _arguments(
    module: Module, places: dict[str, tuple[int, str]], wrappers: dict[tuple[str, str], tuple[int, str]]
) -> Iterator[tuple[ast.Call, ast.expr]]:
    """Each call that takes a code, with the expression that it gets."""
    elsewhere = {name: place for (_, name), place in wrappers.items() if not name.startswith("_")}
    for call in module.calls():
        name = _constructed(module, call)
        if name == PROBLEM and module.name.startswith(NOT_PROBLEMS):
            continue
        place = wrappers.get((module.name, name)) or places.get(name) or elsewhere.get(name)
        if place is None:
            continue
        position, keyword = place
        given = [each.value for each in call.keywords if each.arg == keyword]
        given += call.args[position : position + 1]
        if given and not isinstance(given[0], ast.Starred):
            yield call, given[0]


def _wrappers(
    module: Module, places: dict[str, tuple[int, str]], wrappers: dict[tuple[str, str], tuple[int, str]]
) -> Iterator[tuple[tuple[str, str], tuple[int, str]]]:
    """Functions that pass one of their own arguments on as a code."""
    for call, argument in _arguments(module, places, wrappers):
        function = module.function_of(call)
        if function is None:
            continue
        names = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
        skipped = 1 if names[:1] == ["self"] else 0
        keywords = [each.arg for each in function.args.kwonlyargs]
        for name in {node.id for node in ast.walk(argument) if isinstance(node, ast.Name)} & ARGUMENTS:
            if name in names:
                yield (module.name, function.name), (names.index(name) - skipped, name)
            elif name in keywords:
                yield (module.name, function.name), (999, name)


def _constructed(module: Module, call: ast.Call) -> str:
    """The name of what is called, without its module. `super().__init__` is the base of the class."""
    if isinstance(call.func, ast.Attribute) and call.func.attr == "__init__":
        node: ast.AST = call
        while node in module.parents:
            node = module.parents[node]
            if isinstance(node, ast.ClassDef) and not _takes_code(node):
                return next(iter(_bases(node)), "")
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _collect(found: Found, module: Module, call: ast.Call, value: ast.expr) -> None:
    place = f"{module.name}:{call.lineno}"
    for code in _values(module, call, value):
        if code is None:
            found.unresolved.add(f"{place} {ast.unparse(value)}")
        elif code:
            found.codes[code].add(place)


def _values(module: Module, call: ast.Call, value: ast.expr) -> Iterator[str | None]:
    """The codes that an expression may have; None for one that can't be read from the source."""
    if isinstance(value, ast.Constant):
        yield str(value.value or "")
    elif isinstance(value, ast.IfExp):
        yield from _values(module, call, value.body)
        yield from _values(module, call, value.orelse)
    elif isinstance(value, ast.BoolOp):
        for each in value.values:
            yield from _values(module, call, each)
    elif isinstance(value, ast.Attribute) and value.attr == "code":
        return  # The code of a problem that was raised elsewhere.
    elif isinstance(value, ast.Name):
        yield from _named(module, call, value.id)
    elif isinstance(value, ast.Attribute) and isinstance(constant := module.imported.get(value.attr), ast.Constant):
        yield str(constant.value)
    else:
        yield None


def _named(module: Module, call: ast.Call, name: str) -> Iterator[str | None]:
    function = module.function_of(call)
    if function and name in {each.arg for each in (*function.args.args, *function.args.kwonlyargs)}:
        return  # A wrapper: its callers give the code.
    if isinstance(constant := module.constants.get(name, module.imported.get(name)), ast.Constant):
        yield str(constant.value)
        return
    known: list[str | None] = [*_from_tables(module, call, name)]
    yield from known or [None]


def _from_tables(module: Module, call: ast.Call, name: str) -> Iterator[str]:
    """The values that a loop over a table in the source gives a name."""
    node: ast.AST = call
    while node in module.parents:
        node = module.parents[node]
        loops = node.generators if isinstance(node, ast.GeneratorExp | ast.ListComp) else [node]
        for loop in loops:
            if isinstance(loop, ast.For | ast.comprehension) and isinstance(loop.target, ast.Tuple):
                names = [each.id for each in loop.target.elts if isinstance(each, ast.Name)]
                if name in names:
                    yield from _column(module, loop.iter, names.index(name))


def _column(module: Module, table: ast.expr, position: int) -> Iterator[str]:
    if isinstance(table, ast.Call) and isinstance(table.func, ast.Attribute) and isinstance(table.func.value, ast.Dict):
        rows = [[key, value] for key, value in zip(table.func.value.keys, table.func.value.values, strict=True)]
    else:
        found = module.constants.get(table.id) if isinstance(table, ast.Name) else table
        rows = [list(row.elts) for row in getattr(found, "elts", []) if isinstance(row, ast.Tuple)]
    for row in rows:
        if isinstance(cell := row[position], ast.Constant):
            yield str(cell.value)
