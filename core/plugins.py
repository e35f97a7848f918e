"""Discovers plug-ins: every folder of a package that exports a given name."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from core.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")


def discover(package: str, attribute: str, subpackage: str = "") -> list[Any]:
    """The items that the folders of `package` list under `attribute`, in folder order.

    A folder without the attribute is skipped. An ImportError inside a plug-in is a bug and is raised unchanged.

    Args:
        subpackage: the subpackage of each folder that lists the items, e.g. `sandbox`. A folder without it is skipped.

    Raises:
        ValueError: two items have the same `slug`.
    """
    root = importlib.import_module(package)
    items: list[Any] = []
    for info in sorted(pkgutil.iter_modules(root.__path__), key=lambda info: info.name):
        if info.ispkg:
            name = ".".join(filter(None, [package, info.name, subpackage]))
            if importlib.util.find_spec(name):
                items.extend(getattr(importlib.import_module(name), attribute, []))
    refuse_duplicates(items)
    return items


def refuse_duplicates(items: Iterable[Any]) -> None:
    """Raises ValueError if two items share a slug."""
    by_slug: dict[str, Any] = {}
    for item in items:
        if item.slug in by_slug:
            raise ValueError(f"Two plug-ins have the slug {item.slug!r}: {by_slug[item.slug]!r} and {item!r}.")
        by_slug[item.slug] = item


class Registry(Generic[T]):
    """The plug-ins of one package by slug, discovered on first use.

    Args:
        package, attribute, subpackage: as for `discover`.
        noun: the word for a plug-in of this kind in messages. `<noun>_unknown` is the error code.
    """

    def __init__(self, package: str, attribute: str, noun: str, subpackage: str = "") -> None:
        self.package = package
        self.subpackage = subpackage
        self.attribute = attribute
        self.noun = noun

    @cached_property
    def all(self) -> dict[str, T]:
        return {item.slug: item for item in discover(self.package, self.attribute, self.subpackage)}

    def __getitem__(self, slug: str) -> T:
        """Raises Misconfigured if no plug-in has that slug."""
        if slug not in self.all:
            known = ", ".join(sorted(self.all))
            raise Misconfigured(
                f"{self.noun}_unknown", f"This version has no {self.noun} {slug!r}. Choose one of: {known}."
            )
        return self.all[slug]

    def icon(self, slug: str) -> Path | None:
        """The drawing in the folder of a plug-in: `<slug>.svg` if the folder has many, else `icon.svg`, else None."""
        module = type(self[slug]).__module__.removeprefix(f"{self.package}.")
        root = Path(str(importlib.import_module(self.package).__path__[0]))
        folder = root / module.partition(".")[0]
        return next((path for path in (folder / f"{slug}.svg", folder / "icon.svg") if path.is_file()), None)


def unwritten(module: str, part: str, advice: str) -> Misconfigured:
    """The problem that a part of a new plug-in raises until it is written.

    Args:
        module: the `__name__` of the module that contains the part.
        part: the function or method, as its author finds it.
        advice: what to write there; completes "Write `part`: …".
    """
    path = f"{module.replace('.', '/')}.py"
    return Misconfigured("not_written", f"Write `{part}` in {path}: {advice}", where=path)
