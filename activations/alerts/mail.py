"""The email channel: writes one alert about a run, and sends it to the recipients of its activation."""

from __future__ import annotations

import logging
from email.errors import MessageError
from smtplib import SMTPException
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.mail import send_mail

from core.text.characters import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from activations.models import Run, Warning

log = logging.getLogger(__name__)


def send(run: Run, warnings: Sequence[Warning], failed: bool) -> str:
    """Sends one alert.

    Args:
        warnings: those that the recipients haven't been told about yet.
        failed: the run failed, and the run before it didn't fail for the same reason.

    Returns:
        Why it was not sent, in words; "" if the mail server accepted it.
    """
    subject, text = compose(run, warnings, failed)
    try:
        send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, run.activation.recipients)
    except (SMTPException, OSError) as error:
        log.warning("The alert about run %s could not be sent by email: %s", run.pk, type(error).__name__)
        return "The mail server did not accept the alert about this run. Check EMAIL_URL and the alert recipients."
    except (ValueError, LookupError, MessageError) as error:
        # What Python's email package raises for headers and addresses that no email can have.
        log.warning("The alert about run %s could not be written as an email: %s", run.pk, type(error).__name__)
        return (
            "The alert about this run could not be written as an email. "
            "Check the alert recipients, and DEFAULT_FROM_EMAIL."
        )
    return ""


def compose(run: Run, warnings: Sequence[Warning], failed: bool) -> tuple[str, str]:
    """The subject and the text of an alert."""
    event = "failed" if failed else "has warnings"
    lines = [f"Run {run.number} of the activation {run.activation.name!r} {event}.", ""]
    lines += [f"- {run.error_message}"] if failed else []
    lines += [f"- {warning.message}" for warning in warnings]
    lines += ["", f"See the run: {settings.PUBLIC_URL}/admin/activations/run/{run.pk}/change/"]
    return one_line(f"{run.activation.name}: {event}"), "\n".join(lines)
