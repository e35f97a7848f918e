"""The e-mail backend used when no mail server is configured: writes to the log, never to a command's output."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.core.mail import EmailMessage

log = logging.getLogger(__name__)


class LogBackend(BaseEmailBackend):
    """Writes the subject and body of each message to the log. Set EMAIL_URL to send e-mail."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            log.info("E-mail not sent (set EMAIL_URL to send it): %s", message.subject)
            for line in str(message.body).splitlines():
                log.info("  %s", line)
        return len(email_messages)


def is_configured() -> bool:
    """Whether emails are sent, rather than logged."""
    return f"{__name__}.{LogBackend.__name__}" != settings.EMAIL_BACKEND
