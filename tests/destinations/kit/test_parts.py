"""Headers, pages, batches and credentials."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from core.errors import Misconfigured
from destinations.kit.credentials import token_from
from destinations.kit.headers import QuotaHeaders, retry_after
from destinations.kit.pages import by_offset

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
MOMENT = QuotaHeaders(window_seconds=10)
SECONDS = QuotaHeaders("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "seconds", 60.0)
ROLLING = QuotaHeaders("L", "R", "", window_seconds=1.0, counts_itself=False, rolling=True)


def test_quota_ends_at_the_moment_that_the_vendors_clock_means() -> None:
    local = NOW + timedelta(hours=3)
    headers = {
        "X-RateLimit-Limit": "100",
        "X-RateLimit-Remaining": "7",
        "X-RateLimit-Reset": str(int(NOW.timestamp()) + 7),
        "Date": format_datetime(NOW, usegmt=True),
    }
    quota = MOMENT.read(headers, local)
    assert quota is not None
    assert (quota.limit, quota.remaining, quota.window_seconds) == (100, 7, 10)
    assert quota.reset_at == local + timedelta(seconds=7)


def test_quota_may_report_the_seconds_left_or_no_end_at_all() -> None:
    left = SECONDS.read({"RateLimit-Remaining": "5", "RateLimit-Reset": "2.5"}, NOW)
    rolling = ROLLING.read({"R": "0", "L": "10"}, NOW)
    assert left is not None
    assert rolling is not None
    assert (left.reset_at, left.limit) == (NOW + timedelta(seconds=2.5), None)
    assert (rolling.reset_at, rolling.remaining, rolling.rolling) == (NOW + timedelta(seconds=1), 0, True)


@pytest.mark.parametrize("reset", ["", "soon", "nan", "inf", "9" * 40, None])
def test_headers_that_are_missing_or_broken_give_no_quota(reset: str | None) -> None:
    headers = {"X-RateLimit-Remaining": "1"} | ({} if reset is None else {"X-RateLimit-Reset": reset})
    assert MOMENT.read(headers, NOW) is None


def test_date_in_retry_after_is_read_by_the_vendors_clock() -> None:
    vendor = NOW + timedelta(hours=1)
    headers = {
        "Retry-After": format_datetime(vendor + timedelta(seconds=8), usegmt=True),
        "Date": format_datetime(vendor, usegmt=True),
    }
    assert retry_after(headers, NOW) == 8
    assert retry_after({"Retry-After": "3"}, NOW) == 3
    assert retry_after({}, NOW) is None


def test_pages_by_offset_end_with_a_short_page_or_without_a_new_entry() -> None:
    offsets: list[int] = []

    def fetch(offset: int) -> list[str]:
        offsets.append(offset)
        return list("abcde")[offset : offset + 2]

    assert list(by_offset(fetch, 2)) == list("abcde")
    assert offsets == [0, 2, 4]
    assert list(by_offset(lambda offset: ["a", "b"], 2)) == ["a", "b"]


@pytest.mark.parametrize(("token", "code"), [("", "token_missing"), (None, "token_missing"), (" ", "token_missing"),
                                             ("a b", "token_malformed"), ("ż", "token_malformed")])  # fmt: skip
def test_token_that_no_header_can_carry_is_refused(token: str | None, code: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        token_from({"token": token}, "Acme")
    assert (refused.value.code, refused.value.where) == (code, "token")
    assert token_from({"token": " abc "}, "Acme") == "abc"
