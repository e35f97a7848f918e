"""Ends the previous query of a page as soon as the page sends a newer one, in whatever process it is running."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import OperationalError
from django.utils import timezone

from core.database import short_lock_wait
from core.errors import Problem
from segments.models import Question
from segments.reading.prefetch import do_nothing

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

CHECK_SECONDS = 0.2
KEPT = timedelta(days=1)
MOST_PAGES = 4
"""How many pages of a person can have a request at the same time. One more ends the oldest."""
LOCK_SECONDS = 0.3
log = logging.getLogger(__name__)


class Superseded(Problem):
    """The page has sent a newer request, or was closed."""

    def __init__(self) -> None:
        super().__init__("superseded", "A newer request has replaced this one.")


def register(page: str, number: int | None = None) -> Callable[[], None]:
    """Stores the newest request of a page, which ends its earlier ones.

    Args:
        page: begins with the person, as `page_of` returns it. Only the latest pages of a person stay registered.
        number: the next one if None.

    Returns:
        A function that raises Superseded as soon as a newer request is stored. It may be called often: it queries the
        database only every `CHECK_SECONDS`.

    Raises:
        Superseded: a newer request is already stored.
    """
    try:
        with short_lock_wait(LOCK_SECONDS):
            number = _store(page, number, timezone.now())
    except OperationalError as error:
        # A long write must not keep anybody from seeing a preview.
        log.warning("A preview can't be ended by the next one: the database is busy (%s).", type(error).__name__)
        return do_nothing
    checked_at = 0.0

    def check() -> None:
        nonlocal checked_at
        if time.monotonic() - checked_at >= CHECK_SECONDS:
            checked_at = time.monotonic()
            if not Question.objects.filter(page=page, number=number).exists():
                raise Superseded

    check()
    return check


def page_of(person: int, name: str) -> str:
    """The name of a person's page, e.g. of one tab. Others can't end its requests."""
    return f"{person}:{name}"


def _store(page: str, number: int | None, now: datetime) -> int:
    Question.objects.filter(asked_at__lt=now - KEPT).delete()
    number = _next(page) if number is None else number
    if Question.objects.get_or_create(page=page, defaults={"number": number, "asked_at": now})[1]:
        person = page.partition(":")[0]
        pages = Question.objects.filter(page__startswith=f"{person}:").exclude(page=page).order_by("-asked_at")
        Question.objects.filter(pk__in=list(pages.values_list("pk", flat=True)[MOST_PAGES - 1 :])).delete()
    Question.objects.filter(page=page, number__lt=number).update(number=number, asked_at=now)
    return number


def _next(page: str) -> int:
    latest = Question.objects.filter(page=page).values_list("number", flat=True).first()
    return 1 if latest is None else latest + 1
