"""Requests the pages of an installation through Django's test client: server time, without a network."""

from __future__ import annotations

import re
import statistics
import time
from dataclasses import asdict, dataclass
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection, reset_queries
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import Resolver404, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

HTML = "text/html"
VALUES_PER_LIST = 4
"""How many values of the same filter are measured."""
QUERY_A_SOURCE = (
    r"timeline_live|search-source|-preview|breakdown|overlap|-sample|-rows|-tables|model-values|editor-match"
)
"""What waits for a source or for the simulator of a vendor: that time says nothing about our pages."""
LEFT_OUT = re.compile(rf"logout|login|jsi18n|password_change|autocomplete|openapi|schema|{QUERY_A_SOURCE}")
_LINK = re.compile(r"/(admin|api)/[^\s\"'<>{}]*|\?[\w.~%&=+:-]+")
_ID = re.compile(r"\d+")


@dataclass(frozen=True)
class Asked:
    """One page: seconds of its requests as median and 95th percentile, and the number of its database queries.

    Args:
        label: the name of the page's URL pattern, and its query parameters.
    """

    label: str
    url: str
    status: int
    median: float
    p95: float
    queries: int


class Pages:
    """Finds the pages that can be reached from the lists and from `first`, and measures each.

    Pages of the same URL pattern count as one, except that lists are measured with several values of each filter.

    Args:
        times: how often each page is requested.
    """

    def __init__(self, times: int) -> None:
        self.times = times
        self.client = Client(HTTP_HOST="localhost", raise_request_exception=False)
        self.client.force_login(User.objects.get())
        self.seen: dict[str, int] = {}
        self.required: set[str] = set()

    def ask(self, first: list[str]) -> Iterator[Asked]:
        waiting = [*first, "/admin/", *_lists()]
        self.required = {*first, "/admin/"}
        done: set[str] = set()
        while waiting:
            url = waiting.pop(0)
            if url in done or not (self._is_new(url) or url in self.required):
                continue
            done.add(url)
            found = self._measure(url)
            if found is None:
                continue
            asked, links = found
            yield asked
            waiting += links

    def _is_new(self, url: str) -> bool:
        label = label_of(url)
        if not label or LEFT_OUT.search(label):
            return False
        self.seen[label] = self.seen.get(label, 0) + 1
        # One of each combination of filters: with several values of all, there would be thousands.
        is_one_filter = "changelist?" in label and "&" not in label
        return self.seen[label] <= (VALUES_PER_LIST if is_one_filter else 1)

    def _measure(self, url: str) -> tuple[Asked, list[str]] | None:
        # Django keeps only the last 9,000 queries, so those of earlier pages would hide these.
        reset_queries()
        with CaptureQueriesContext(connection) as queries:
            response = self._get(url)
            body = b"" if response.streaming else response.content
        number = len(queries)
        if response.status_code in (301, 302):
            return None if url == response["Location"] else self._follow(urljoin(url, response["Location"]))
        if 400 <= response.status_code < 500 and url not in self.required:
            # An address that only takes POST, or that a page completes before it uses it.
            return None
        seconds = sorted(self._seconds(url) for _ in range(self.times))
        asked = Asked(
            label_of(url),
            url,
            response.status_code,
            statistics.median(seconds),
            seconds[max(0, round(0.95 * len(seconds)) - 1)],
            number,
        )
        is_page = response.get("Content-Type", "").startswith(HTML)
        return asked, list(links(body.decode(), url)) if is_page else []

    def _follow(self, url: str) -> tuple[Asked, list[str]] | None:
        return self._measure(url) if url.startswith("/") and self._is_new(url) else None

    def _seconds(self, url: str) -> float:
        started = time.perf_counter()
        self._get(url)
        return time.perf_counter() - started

    def _get(self, url: str) -> Any:
        """The response. Of one that is streamed, the first part."""
        response = self.client.get(url)
        if response.streaming:
            next(iter(response), b"")
        return response


def label_of(url: str) -> str:
    """The name of the URL pattern, and the names of the query parameters; "" if no page has this URL."""
    parts = urlsplit(url)
    try:
        name = resolve(parts.path).view_name
    except Resolver404:
        return ""
    names = sorted({parameter for parameter, _ in parse_qsl(parts.query, keep_blank_values=True)})
    return f"{name}?{'&'.join(names)}" if names else name


def links(page: str, url: str) -> Iterator[str]:
    """The addresses in a page's attributes, of this server."""
    parser = _Attributes()
    parser.feed(page)
    for value in parser.values:
        address = value.partition("#")[0]
        if _LINK.fullmatch(address):
            yield urljoin(url, address)


class _Attributes(HTMLParser):
    """Collects the values of all attributes but the targets of forms, which are posted to."""

    def __init__(self) -> None:
        super().__init__()
        self.values: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.values += [
            value for name, value in attrs if value and name not in ("action", "formaction", "hx-post", "value")
        ]


def _lists() -> list[str]:
    return [f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry]


def as_json(pages: Iterator[Asked]) -> list[dict[str, Any]]:
    """The measurements in the form that `Asked(**…)` takes."""
    return [asdict(page) for page in pages]
