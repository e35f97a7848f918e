"""Email: HTML and text, one email for each address, by the mail server of EMAIL_URL."""

from __future__ import annotations

import logging
from email.errors import MessageError
from email.utils import make_msgid
from smtplib import SMTPException, SMTPRecipientsRefused
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings as configured
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.validators import validate_email
from django.template.loader import render_to_string

from activations.alerts.channels.contract import Channel
from core.errors import Misconfigured, Problem, Unavailable
from core.parameters import Parameter
from core.text.characters import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.core.mail.backends.base import BaseEmailBackend

    from activations.alerts.message import Message

log = logging.getLogger(__name__)
NOT_SET_UP = "This installation can't send email yet. Set EMAIL_URL, and restart it."
HEADERS = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
"""No program should answer, such as one that says that somebody is on vacation."""
LONGEST_SUBJECT = 200


def addresses(text: str) -> list[str]:
    """The addresses of a text, separated by commas or whitespace, each once.

    Raises:
        Misconfigured: one of them is not an email address.
    """
    found = list(dict.fromkeys(text.replace(",", " ").replace(";", " ").split()))
    for address in found:
        try:
            validate_email(address)
        except ValidationError:
            problem = f"{one_line(address)} is not a valid email address."
            raise Misconfigured("recipient_invalid", problem, where="recipients") from None
    return found


def email(message: Message, address: str) -> EmailMultiAlternatives:
    """The message as an email."""
    context = {"message": message}
    written = EmailMultiAlternatives(
        subject=one_line(f"[DinMo] {message.title}")[:LONGEST_SUBJECT],
        body=render_to_string("alerts/email.txt", context),
        from_email=configured.DEFAULT_FROM_EMAIL,
        to=[address],
        headers={**HEADERS, "Message-ID": make_msgid(domain=urlsplit(configured.PUBLIC_URL).hostname or "dinmo")},
    )
    written.attach_alternative(render_to_string("alerts/email.html", context), "text/html")
    return written


def send_to(recipients: Sequence[str], message: Message) -> None:
    """Sends an email to each address.

    Raises:
        Unavailable: the mail server accepted none of them.
        Misconfigured: email is not set up, or the mail server refused an address. All others were accepted.
    """
    if CHANNEL.problem():
        raise Misconfigured("email_not_set_up", CHANNEL.problem())
    try:
        with get_connection() as connection:
            refused = [address for address in recipients if not _accepted(connection, message, address)]
    except (SMTPException, OSError) as error:
        log.warning("An alert could not be sent by email: %s", type(error).__name__)
        raise _unavailable(error) from None
    except (ValueError, LookupError, MessageError) as error:
        # What Python's email package raises for headers and addresses that no email can have.
        log.warning("An alert could not be written as an email: %s", type(error).__name__)
        words = "The alert could not be written as an email. Check the addresses, and DEFAULT_FROM_EMAIL."
        raise Misconfigured("email_unwritable", words) from None
    if refused:
        raise PartlyRefused(refused, len(recipients))


class PartlyRefused(Misconfigured):
    """The mail server refused some addresses. `all_refused`: it refused every one."""

    def __init__(self, refused: Sequence[str], of: int) -> None:
        super().__init__("recipient_refused", f"The mail server refused {', '.join(refused)}. Check the address.")
        self.all_refused = len(refused) == of


def _accepted(connection: BaseEmailBackend, message: Message, address: str) -> bool:
    try:
        connection.send_messages([email(message, address)])
    except SMTPRecipientsRefused:
        return False
    return True


def _unavailable(error: Exception) -> Problem:
    code = getattr(error, "smtp_code", None)
    answered = f" It answered with the code {code}." if isinstance(code, int) and code > 0 else ""
    words = f"The mail server did not accept the message.{answered} Check EMAIL_URL and the server."
    return Unavailable("email_unavailable", words, detail=type(error).__name__)


class Email(Channel):
    slug = "email"
    label = "Email"
    help = "Sends an email to each address."
    parameters = (Parameter("recipients", "Recipients", help="Email addresses, separated by commas."),)

    def problem(self) -> str:
        return NOT_SET_UP if configured.EMAIL_BACKEND == "dinmo.mail.LogBackend" else ""

    def validate(self, settings: Mapping[str, Any]) -> None:
        addresses(settings["recipients"])

    def send(self, settings: Mapping[str, Any], message: Message) -> None:
        send_to(addresses(settings["recipients"]), message)


CHANNEL = Email()
