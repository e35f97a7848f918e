"""Markdown as HTML for the application's pages: headings with anchors, tables that scroll, and links between pages."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from django.urls import reverse
from django.utils.safestring import SafeString
from markdown import Markdown
from markdown.treeprocessors import Treeprocessor

from dinmo.docs import files

OUTSIDE = ("http://", "https://", "mailto:")


@dataclass(frozen=True)
class Heading:
    """A heading of the second level, for the table of contents."""

    anchor: str
    name: str


@dataclass(frozen=True)
class Page:
    """A rendered page."""

    html: SafeString
    headings: tuple[Heading, ...]


def render(page: str) -> Page:
    """The HTML of a page that `files.pages` contains. It is trusted: it comes from this repository."""
    converter = Markdown(extensions=["tables", "fenced_code", "toc", "sane_lists"], output_format="html")
    converter.treeprocessors.register(Shown(converter, page), "shown", 1)
    html = converter.convert(files.text(page))
    tokens: list[dict[str, Any]] = getattr(converter, "toc_tokens", [])
    second = [child for token in tokens for child in ([token] if token["level"] != 1 else token["children"])]
    headings = tuple(Heading(token["id"], token["name"]) for token in second)
    return Page(SafeString(html), headings)


class Shown(Treeprocessor):
    """Removes the first heading, which the page's frame shows, resolves links, and lets wide tables and code scroll."""

    def __init__(self, converter: Markdown, page: str) -> None:
        super().__init__(converter)
        self.folder = posixpath.dirname(page)

    def run(self, root: Element) -> None:
        title = next(iter(root.findall("h1")), None)
        if title is not None:
            root.remove(title)
        for link in root.iter("a"):
            self._resolve(link)
        for picture in root.iter("img"):
            source = picture.get("src", "")
            if not source.startswith(OUTSIDE):
                picture.set("src", reverse("docs-picture", args=[self._path(source)]))
        for parent in list(root.iter()):
            for position, child in enumerate(list(parent)):
                if child.tag == "table":
                    parent[position] = _scrolling(child)

    def _resolve(self, link: Element) -> None:
        """A link to a page of the documentation leads to it here; one to a file that isn't served loses its target."""
        path, _, anchor = link.get("href", "").partition("#")
        if not path:
            return
        if path.startswith(OUTSIDE):
            link.set("rel", "noopener noreferrer")
            return
        target = self._path(path).removesuffix(".md")
        if target in files.pages():
            link.set("href", reverse("docs", args=[target]) + (f"#{anchor}" if anchor else ""))
        else:
            link.attrib.pop("href")

    def _path(self, relative: str) -> str:
        return posixpath.normpath(posixpath.join(self.folder, relative))


def _scrolling(table: Element) -> Element:
    table.set("class", "d-table")
    frame = Element("div", {"class": "d-scroll", "tabindex": "0", "role": "group", "aria-label": "Table"})
    frame.append(table)
    return frame
