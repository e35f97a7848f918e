"""Mail where no mail server is configured: it goes to the log, never among a command's output."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.core.mail.backends.base import BaseEmailBackend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.core.mail import EmailMessage

log = logging.getLogger(__name__)


class LogBackend(BaseEmailBackend):
    """Writes each mail's subject and text to the log. Set EMAIL_URL to send it."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            log.info("Mail (set EMAIL_URL to send it): %s\n%s", message.subject, message.body)
        return len(email_messages)
