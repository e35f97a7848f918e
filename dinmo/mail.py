"""The email backend used when no mail server is configured. Writes to the log, not to the output of a command."""

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
    """Logs the subject and body of each message."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            log.info("Email not sent (set EMAIL_URL to send it): %s", message.subject)
            for line in str(message.body).splitlines():
                log.info("  %s", line)
        return len(email_messages)


def is_configured() -> bool:
    """Whether a mail server is configured."""
    return f"{__name__}.{LogBackend.__name__}" != settings.EMAIL_BACKEND
