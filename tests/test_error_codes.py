"""The catalogue of error codes: every code in the source has an entry, and every entry a code."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from core.web.error_pages import entries, entry, help_path, help_url
from tests.error_codes import COMPUTED, Found, scan

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client

ERRORS = """
class Problem(Exception):
    def __init__(self, code, message):
        pass


class Misconfigured(Problem):
    pass
"""
PLANTED = """
from core.errors import Misconfigured, Problem

TOO_LATE, UNUSED = "too_late", "never"
TABLE = [("pattern", "from_a_table", "Words.")]


class Own(Problem):
    pass


class Fixed(Misconfigured):
    def __init__(self, name):
        super().__init__("fixed", f"{name} is wrong.")


def wrong(message, code="by_default"):
    return Misconfigured(code, message)


def plain(kind):
    raise Misconfigured("plain" if kind else "otherwise", "Words.")


def wrapped():
    raise wrong("Words.", "by_wrapper")


def constant():
    raise Own(TOO_LATE, "Words.")


def table():
    for pattern, code, words in TABLE:
        raise Misconfigured(code, words)


def computed(name):
    raise Misconfigured(f"{name}_unknown", "Words.")
"""


@cache
def found() -> Found:
    return scan()


def test_every_code_has_an_entry_and_every_entry_a_code() -> None:
    codes = {code.removesuffix("*") for code in found().codes} | {code for some in COMPUTED.values() for code in some}
    assert codes - entries() == set(), "add an entry to docs/errors.md"
    assert entries() - codes == set(), "remove the entry from docs/errors.md"


def test_every_computed_code_is_listed() -> None:
    modules = {place.partition(":")[0] for place in found().unresolved}
    assert modules - COMPUTED.keys() == set(), f"list its codes in tests/error_codes.py: {found().unresolved}"


def test_codes_are_found_however_they_are_given(tmp_path: Path) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "errors.py").write_text(ERRORS)
    (tmp_path / "core" / "planted.py").write_text(PLANTED)
    planted = scan(tmp_path)
    assert set(planted.codes) == {"plain", "otherwise", "by_wrapper", "too_late", "from_a_table", "fixed"}
    assert len(planted.unresolved) == 1


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("source_unreachable", "source_unreachable"),
        ("no_currency", "no_type"),
        ("http_502", "http_status"),
        ("invalid_filter_value", "invalid_filter"),
        ("made_up_by_a_vendor", "vendor_code"),
    ],
)
def test_every_code_leads_to_an_entry(code: str, expected: str) -> None:
    assert entry(code) == expected
    assert expected in entries()
    assert help_url(code).endswith(f"/admin/docs/errors/#{expected}")


@pytest.mark.django_db
def test_page_has_an_anchor_for_every_entry(admin_client: Client) -> None:
    page = admin_client.get(help_path("defect").partition("#")[0]).content.decode()
    assert [code for code in entries() if f'id="{code}"' not in page] == []
