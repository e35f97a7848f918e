"""The part of an activation's page that pauses and resumes it, and says what the system waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.utils import timezone

from activations.pauses import act, check
from activations.screens.fixes import links
from activations.setup import holds
from core.web.screens import Button, ScreenAdmin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpRequest

    from activations.models import Activation

RESUME_QUESTION = "Resume without a check? If the next run fails for the same reason, the system pauses it again."


class PausePage(ScreenAdmin):
    """The actions of the buttons."""

    def do_pause(self, request: HttpRequest, obj: Activation) -> None:
        act.pause_by_person(obj)
        messages.success(
            request, "Paused. Its schedules start no runs until you resume it. You can still run it manually."
        )

    def do_resume(self, request: HttpRequest, obj: Activation) -> None:
        act.resume_by_person(obj, timezone.now())
        messages.success(request, "Resumed. Its schedules start runs again.")

    def do_check(self, request: HttpRequest, obj: Activation) -> None:
        if check.check_now(obj, timezone.now()):
            messages.success(request, "It works again. The activation is resumed.")
        else:
            messages.error(request, "It still does not work. The reason is below.")


def pause_buttons(activation: Activation) -> Iterable[Button]:
    """Pause or resume, whoever paused it. What the system paused can be checked as well."""
    if activation.paused:
        yield Button("resume", "Resume", "play_circle")
    elif holds.system_pause(activation):
        yield Button("check", "Check now", "sync")
        yield Button("resume", "Resume", "play_circle", confirm=RESUME_QUESTION)
    else:
        yield Button("pause", "Pause", "pause_circle")


def pause_context(activation: Activation) -> dict[str, Any]:
    """The pause by the system, with links to where its cause can be corrected."""
    pause = None if activation.paused else holds.system_pause(activation)
    return {"pause": pause, "pause_links": list(links(activation, pause.cause, pause.code)) if pause else []}
