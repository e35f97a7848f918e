"""A page asks again before it has its answer: the earlier question ends, in whatever process it is being worked on."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from core.errors import Problem
from segments.models import Question

if TYPE_CHECKING:
    from collections.abc import Callable

LOOK_SECONDS = 0.2
KEPT = timedelta(days=1)


class Superseded(Problem):
    """The page has asked something else since, or was closed."""

    def __init__(self) -> None:
        super().__init__("superseded", "Another question came in the meantime.")


def ask(page: str, number: int) -> Callable[[], None]:
    """Notes a page's newest question, which ends the earlier ones, and returns what looks whether it still is.

    Raises:
        Superseded: a newer one was noted already. The function returned raises it too, later.
    """
    now = timezone.now()
    Question.objects.filter(asked_at__lt=now - KEPT).delete()
    Question.objects.get_or_create(page=page, defaults={"number": number, "asked_at": now})
    Question.objects.filter(page=page, number__lt=number).update(number=number, asked_at=now)
    looked_at = 0.0

    def look() -> None:
        nonlocal looked_at
        if time.monotonic() - looked_at >= LOOK_SECONDS:
            looked_at = time.monotonic()
            if not Question.objects.filter(page=page, number=number).exists():
                raise Superseded

    look()
    return look
