"""Finds plug-ins: every folder of a package that exports a given name."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from core.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")


def discover(package: str, attribute: str, inside: str = "") -> list[Any]:
    """The items that the sub-packages of `package` list under `attribute`, in folder order.

    A folder without the attribute is skipped. An ImportError inside a plug-in is a defect and is raised as it is.

    Args:
        inside: the sub-package of each folder that lists the items, e.g. `sandbox`; a folder without one is skipped.

    Raises:
        ValueError: two items have the same `slug`.
    """
    root = importlib.import_module(package)
    found: list[Any] = []
    for info in sorted(pkgutil.iter_modules(root.__path__), key=lambda info: info.name):
        if info.ispkg:
            name = ".".join(filter(None, [package, info.name, inside]))
            if importlib.util.find_spec(name):
                found.extend(getattr(importlib.import_module(name), attribute, []))
    refuse_duplicates(found)
    return found


def refuse_duplicates(items: Iterable[Any]) -> None:
    """Raises ValueError where two items share a slug."""
    seen: dict[str, Any] = {}
    for item in items:
        if item.slug in seen:
            raise ValueError(f"Two plug-ins are called {item.slug!r}: {seen[item.slug]!r} and {item!r}.")
        seen[item.slug] = item


class Registry(Generic[T]):
    """The plug-ins of one package by slug, discovered at first use.

    Args:
        package, attribute, inside: as for `discover`.
        noun: what one of them is called in messages; `<noun>_unknown` is the code of the error.
    """

    def __init__(self, package: str, attribute: str, noun: str, inside: str = "") -> None:
        self.package = package
        self.inside = inside
        self.attribute = attribute
        self.noun = noun

    @cached_property
    def all(self) -> dict[str, T]:
        return {item.slug: item for item in discover(self.package, self.attribute, self.inside)}

    def __getitem__(self, slug: str) -> T:
        """Raises Misconfigured where there is none of that slug."""
        if slug not in self.all:
            known = ", ".join(sorted(self.all))
            raise Misconfigured(
                f"{self.noun}_unknown", f"This version has no {self.noun} {slug!r}. Choose one of: {known}."
            )
        return self.all[slug]
