"""The files of the documentation, by the names that addresses use."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "docs"
PICTURES = {".png": "image/png", ".svg": "image/svg+xml", ".webp": "image/webp"}


@dataclass(frozen=True)
class File:
    """A page, by its path without the ending, such as `adr/0002-digests-only`."""

    name: str
    title: str


def root() -> Path:
    """The directory of the documentation."""
    return settings.BASE_DIR / FOLDER


@cache
def pages() -> dict[str, File]:
    """Every page by its name. The title is the page's first heading."""
    found = {}
    for path in sorted(root().rglob("*.md")):
        name = path.relative_to(root()).with_suffix("").as_posix()
        found[name] = File(name, _title(path))
    return found


@cache
def pictures() -> dict[str, Path]:
    """Every picture by its path, such as `images/run.png`."""
    paths = (path for path in root().rglob("*") if path.suffix in PICTURES)
    return {path.relative_to(root()).as_posix(): path for path in paths}


def text(page: str) -> str:
    """The Markdown of a page that `pages` contains."""
    return (root() / f"{page}.md").read_text()


def _title(path: Path) -> str:
    with path.open() as lines:
        heading = next((line for line in lines if line.startswith("# ")), f"# {path.stem}")
    return heading.removeprefix("# ").replace("`", "").strip()
