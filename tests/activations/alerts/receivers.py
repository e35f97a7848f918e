"""Receivers of alerts with real sockets: a mail server and a webhook, which keep what arrives and can refuse it."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from email.message import EmailMessage


class MailServer(socketserver.ThreadingTCPServer):
    """As much of SMTP as smtplib uses. `refused` addresses get 550, and `down` answers every connection with 421."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.messages: list[EmailMessage] = []
        self.envelopes: list[list[str]] = []
        self.refused: set[str] = set()
        self.down = False

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def subjects(self) -> list[str]:
        return [str(message["Subject"]) for message in self.messages]


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server = cast("MailServer", self.server)
        if server.down:
            self._say("421 Service not available")
            return
        self._say("220 receiver")
        recipients: list[str] = []
        while line := self.rfile.readline():
            command = line.decode().strip()
            verb = command[:4].upper()
            if verb == "RCPT":
                address = command.partition("<")[2].partition(">")[0]
                recipients += [] if address in server.refused else [address]
                self._say("550 No such user" if address in server.refused else "250 OK")
            elif verb == "DATA":
                self._say("354 Go on")
                server.messages.append(self._message())
                server.envelopes.append(recipients)
                recipients = []
                self._say("250 OK")
            elif verb == "QUIT":
                self._say("221 Bye")
                return
            else:
                recipients = [] if verb == "RSET" else recipients
                self._say("250 OK")

    def _message(self) -> EmailMessage:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        return email.message_from_bytes(b"".join(lines), policy=email.policy.default)

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


@dataclass
class Posted:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    status: int = 200
    body: bytes = b"ok"
    headers: dict[str, str] = field(default_factory=dict)


class HookServer(ThreadingHTTPServer):
    """Keeps each request, and answers it with `answer`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Hook)
        self.posted: list[Posted] = []
        self.answer = Answer()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/services/T0/hush-hush-token"


class _Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = cast("HookServer", self.server)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.posted.append(Posted(self.path, dict(self.headers.items()), body))
        self.send_response(server.answer.status)
        for name, value in server.answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(server.answer.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the output belongs to the tests."""


def serve(server: socketserver.TCPServer) -> None:
    """Serves in a thread of its own."""
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
