"""What people are shown of requests and responses contains no credential, whichever way the service sends it."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from typing import TYPE_CHECKING

from core.network.observers import Observer, Sending, observed
from destinations.conformance.check import check
from destinations.conformance.expectations import expect
from destinations.conformance.subject import TOKEN
from destinations.contract import Verb
from destinations.kit.exchanges import Secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from destinations.conformance.subject import Subject


class _Shown(Observer):
    """Collects every request and response as they are kept."""

    def __init__(self) -> None:
        self.secrets = Secrets([TOKEN])
        self.texts: list[str] = []

    def answered(self, request: Sending, status: int | None, body: bytes) -> None:
        self.texts += [self.secrets.url(request.url), self.secrets.body(request.body), self.secrets.body(body)]


@check
def kept_exchanges_contain_no_credential(subject: Subject) -> None:
    shown = _Shown()
    with observed(shown):
        known = subject.write(1)
        subject.write_text(1, "Changed", Verb.UPDATE, remote_id=known.remote_id)
        subject.find(subject.identity(1))
        subject.respond(401, f"The token {TOKEN} is not valid.")
        subject.problem(lambda: subject.write(2))
    expect(
        shown.texts,
        "No request passed core.http.send, so nothing can be shown to people. Send every request through it.",
    )
    for text in shown.texts:
        for spelling in _spellings(TOKEN):
            expect(
                spelling not in text,
                f"A request that is kept for people contains the credential: {text} Send it in a header.",
            )


def _spellings(token: str) -> Iterator[str]:
    """The credential as it is, and in Base64, alone or as a password without a user name."""
    yield token
    for sent in (token, f"{token}:", f":{token}"):
        for encode in (b64encode, urlsafe_b64encode):
            yield encode(sent.encode()).decode().rstrip("=")
