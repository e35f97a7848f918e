"""Ends the previous query of a page as soon as the page sends a newer one, in whatever process it is running."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from core.errors import Problem
from segments.models import Question

if TYPE_CHECKING:
    from collections.abc import Callable

CHECK_SECONDS = 0.2
KEPT = timedelta(days=1)


class Superseded(Problem):
    """The page has sent a newer request, or was closed."""

    def __init__(self) -> None:
        super().__init__("superseded", "A newer request has replaced this one.")


def register(page: str, number: int) -> Callable[[], None]:
    """Stores the newest request of a page, which ends its earlier ones.

    Returns:
        A function that raises Superseded as soon as a newer request is stored. It may be called often: it queries the
        database only every `CHECK_SECONDS`.

    Raises:
        Superseded: a newer request is already stored.
    """
    now = timezone.now()
    Question.objects.filter(asked_at__lt=now - KEPT).delete()
    Question.objects.get_or_create(page=page, defaults={"number": number, "asked_at": now})
    Question.objects.filter(page=page, number__lt=number).update(number=number, asked_at=now)
    checked_at = 0.0

    def check() -> None:
        nonlocal checked_at
        if time.monotonic() - checked_at >= CHECK_SECONDS:
            checked_at = time.monotonic()
            if not Question.objects.filter(page=page, number=number).exists():
                raise Superseded

    check()
    return check
