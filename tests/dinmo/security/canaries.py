"""Plants unique secrets and personal data, and collects everything that leaves the application."""

from __future__ import annotations

import io
import json
import logging
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.core import mail
from kombu.messaging import Producer

from core import logs
from destinations.sandbox.wire import Reply
from tests.dinmo.monitoring.receiver import receiving, traced

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest
    from opentelemetry.sdk.trace import TracerProvider

    from destinations.sandbox.base import Sandbox
    from destinations.sandbox.wire import Request
    from tests.dinmo.monitoring.receiver import Receiver

TOKEN = "zq7tokencanary51"
"""Without a word such as *token* in front of it, nothing but its value gives it away."""
PASSWORD = "zq7passwordcanary52"
HOOK = "zq7hookcanary53"
SIGNING = "zq7signingcanary54"
SECRETS = (TOKEN, PASSWORD, HOOK, SIGNING)
PERSON = "Zyxanna Canary55"
EMAIL = "zyxanna.canary56@people.example"
PERSONAL = (PERSON, EMAIL, "canary55", "canary56")
CSV = f"id,name,email,age\n1,{PERSON},{EMAIL},forty-canary55\n2,Other,other@people.example,41\n"


@dataclass
class Vendor:
    """Answers for the simulator, or repeats whatever it was sent in an error."""

    sandbox: Sandbox
    status: int = 0
    """0: the simulator answers."""
    echoed: int = 0

    def respond(self, request: Request) -> Reply:
        if not self.status or request.path.endswith("/self"):
            return self.sandbox.handle(request)
        self.echoed += 1
        said = f"Refused {request.headers} {request.path} {request.query} {request.body.decode()}"
        return Reply(self.status, {"status_code": self.status, "type": "x", "code": "x", "message": said})


@dataclass
class Collected:
    """What was logged, traced, sent to the broker and mailed."""

    receiver: Receiver
    provider: TracerProvider
    log: io.StringIO = field(default_factory=io.StringIO)
    messages: list[str] = field(default_factory=list)

    def places(self) -> dict[str, str]:
        """Everything by where it was found."""
        mails = [str(each.message()) for each in mail.outbox]
        self.provider.force_flush()
        return {
            "log": self.log.getvalue(),
            "traces": self.receiver.content().decode("utf-8", "replace"),
            "broker": "\n".join(self.messages),
            "mails": "\n".join(mails),
        }


@contextmanager
def collected(monkeypatch: pytest.MonkeyPatch, log_format: str) -> Iterator[Collected]:
    """Collects at level DEBUG, in the format of the application's log. No message reaches a broker."""
    with receiving(monkeypatch) as receiver, traced() as provider:
        yield from _collected(Collected(receiver, provider), monkeypatch, log_format)


def _collected(found: Collected, monkeypatch: pytest.MonkeyPatch, log_format: str) -> Iterator[Collected]:
    def publish(_producer: Any, body: Any, **options: Any) -> None:
        found.messages.append(json.dumps([body, options], default=repr))

    monkeypatch.setattr(Producer, "publish", publish)
    handler = logging.StreamHandler(found.log)
    handler.setFormatter(logs.formatter(log_format))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield found
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def write_sources(folder: Path) -> None:
    """A SQLite file that activations read, and a CSV file with text where a query expects a number."""
    with sqlite3.connect(folder / "shop.sqlite3") as database:
        database.execute("create table companies (id integer, name text, domain text, country text, seats integer)")
        rows = [(1, PERSON, "canary55.example.com", EMAIL, 9), (2, "Other", "other.example.com", EMAIL, 1)]
        database.executemany("insert into companies values (?, ?, ?, ?, ?)", rows)
    (folder / "people.csv").write_text(CSV)
