"""The buttons with which a person approves or discards a held run, each with a question that says what will happen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages

from activations.guards import decide
from activations.screens.run.page import facts
from core.web.screens import Button

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest

    from activations.models import Run


class Decisions:
    """The actions of these buttons, for the admin of runs."""

    def do_approve(self, request: HttpRequest, obj: Run) -> None:
        decide.approve(obj, request.user.get_username())
        messages.success(request, "Approved. The run goes on within seconds, and sends exactly this plan.")

    def do_discard(self, request: HttpRequest, obj: Run) -> None:
        decide.discard(obj, request.user.get_username())
        messages.success(request, "Discarded. The run ends within seconds, and nothing of it is sent.")


def decision_buttons(run: Run) -> Iterator[Button]:
    """Approve and Discard."""
    yield Button("approve", "Approve", "check", primary=True, confirm=_approval(run))
    yield Button(
        "discard",
        "Discard",
        "close",
        danger=True,
        confirm="Discard this plan? Nothing of it is sent. The next run compares the data again, and may have to wait "
        "for approval as well.",
    )


def _approval(run: Run) -> str:
    words = facts(run)
    if not run.planned:
        return "Approve this plan? Nothing is sent. Later runs are compared with this one."
    return (
        f"Send {words.noun(run.planned)} to {words.vendor}? Exactly this plan is sent, even if the data has changed "
        "since."
    )
