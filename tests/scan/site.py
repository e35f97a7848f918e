"""A client of the installation: it sends what a proxy with TLS passes on, and keeps cookies as a browser does."""

from __future__ import annotations

import http.client
import json
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from dinmo.local.machine import HOST

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
FORM = "application/x-www-form-urlencoded"
SECONDS = 60


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes
    seconds: float = 0.0

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    def cookies(self) -> SimpleCookie:
        """The cookies that it sets."""
        return SimpleCookie("\r\n".join(f"{cookie}" for cookie in self.headers.get_all("Set-Cookie") or ()))


@dataclass
class Browser:
    """One person at a browser.

    Args:
        tried: how many requests each check has sent.
    """

    port: int
    tried: Counter[str] = field(default_factory=Counter)
    check: str = ""
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return f"https://{HOST}:{self.port}"

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Sends a request and returns the answer; names of headers have underscores. Follows no redirect."""
        self.tried[self.check] += 1
        given = {"Host": f"{HOST}:{self.port}", "X-Forwarded-Proto": "https"}
        if self.cookies:
            given["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection(HOST, self.port, timeout=SECONDS)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in given.items():
                connection.putheader(name, value.encode("latin-1", "replace"))
            if body or method not in ("GET", "HEAD"):
                connection.putheader("Content-Length", str(len(body)))
            # A body that is too large is refused unread, and its sender cut off.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.endheaders(body)
            found = connection.getresponse()
            answer = Answer(found.status, found.headers, found.read())
        finally:
            connection.close()
        self._keep(answer)
        return answer

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, b"", **headers)

    def post(self, path: str, fields: dict[str, str], **headers: str) -> Answer:
        """Posts a form with the CSRF token of this browser, as the pages do."""
        body = urlencode({"csrfmiddlewaretoken": self.token, **fields}).encode()
        return self.send("POST", path, body, **{"Content_Type": FORM, "Referer": self.origin + path, **headers})

    def call(self, method: str, path: str, content: Any, **headers: str) -> Answer:
        """Calls an endpoint with JSON, as the scripts of the pages do."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.send(method, path, body, **{**self.for_scripts, "Content_Type": "application/json", **headers})

    @property
    def token(self) -> str:
        return self.cookies.get("csrftoken", "")

    @property
    def for_scripts(self) -> dict[str, str]:
        return {"X_CSRFToken": self.token, "Referer": f"{self.origin}/admin/"}

    def sign_in(self, name: str, password: str) -> Answer:
        """Signs in by the form."""
        self.get("/admin/login/")
        return self.post("/admin/login/", {"username": name, "password": password})

    def _keep(self, answer: Answer) -> None:
        for name, morsel in answer.cookies().items():
            self.cookies[name] = morsel.value
            if not morsel.value:
                del self.cookies[name]
