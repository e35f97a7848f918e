"""Posts a message to a webhook: with time limits, no redirects, and errors that never contain the address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from core import http
from core.errors import Misconfigured, Problem, Unavailable
from core.parameters import Parameter
from core.secrets import hide
from core.text.web_address import is_web_address

if TYPE_CHECKING:
    from collections.abc import Mapping

SHOWN_ANSWER = 120
"""In characters, of an answer that refuses a message. Slack and Teams say why in a few words."""
_UNREACHED = {
    "unreachable": "can't be reached",
    "connect_timeout": "could not be reached in time",
    "timeout": "did not answer in time",
    "connection_cut": "closed the connection before it answered",
}


def url_parameter(label: str, help_text: str) -> Parameter:
    """The address of a webhook. Whoever knows it can post there, so it is a secret."""
    return Parameter("url", label, "secret", help=help_text)


def check_url(settings: Mapping[str, Any]) -> None:
    """Raises Misconfigured unless the address is a complete URL. The message does not contain it."""
    if not is_web_address(str(settings.get("url") or "")):
        raise Misconfigured("webhook_url", "The address must start with https:// and name a host.", where="url")


def post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Sends a request and returns if the answer is a success.

    Raises:
        Misconfigured: the address is wrong, or the receiver refuses the message.
        Unavailable: the receiver can't be reached, is failing, or accepts no more messages for now.
    """
    check_url({"url": url})
    session = http.session(pool=1)
    try:
        answer = _answer(session, url, body, {"Content-Type": "application/json", "User-Agent": "DinMo", **headers})
    finally:
        session.close()
    _raise_unless_accepted(answer, url)


def _answer(session: requests.Session, url: str, body: bytes, headers: Mapping[str, str]) -> requests.Response:
    try:
        return http.send(session, "POST", url, headers=headers, data=body)
    except Unavailable as problem:
        host = urlsplit(url).hostname
        words = f"{host} {_UNREACHED.get(problem.code, 'gave no usable answer')}."
        raise Unavailable("webhook_unreachable", words, detail=problem.code) from None
    except (requests.RequestException, UnicodeError) as error:
        words = "No request can be sent to this address. Check it."
        raise Misconfigured("webhook_url", words, detail=type(error).__name__, where="url") from None


def _raise_unless_accepted(answer: requests.Response, url: str) -> None:
    """Raises a Problem unless the status is 2xx. Its message quotes the response if that is a short sentence."""
    status = answer.status_code
    if 200 <= status < 300:
        return
    words = " ".join(answer.content[: 4 * SHOWN_ANSWER].decode("utf-8", "replace").split())[:SHOWN_ANSWER]
    said = f" It answered: {hide(words, [url])}" if words and words.isprintable() and "<" not in words else ""
    raise _problem(status, urlsplit(url).hostname or "", said)


def _problem(status: int, host: str, said: str) -> Problem:
    if status == 429 or status >= 500:
        return Unavailable("webhook_unavailable", f"{host} did not accept the message (HTTP {status}).{said}")
    if 300 <= status < 400:
        message = f"{host} redirects to a different address (HTTP {status}). Enter the address that it leads to."
        return Misconfigured("webhook_redirect", message, where="url")
    message = f"{host} refused the message (HTTP {status}).{said} Check the address, or create a new webhook."
    return Misconfigured("webhook_refused", message, where="url")
