"""The base of simulators of an ordinary JSON API: one token, one rate limit, and one format of errors."""

from __future__ import annotations

import time
import uuid
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from core.errors import Problem
from destinations.sandbox.access import Window, token_of
from destinations.sandbox.base import Sandbox
from destinations.sandbox.table import Attribute
from destinations.sandbox.wire import ApiError, Collection, Editor, Reply, Request, Switch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from destinations.sandbox.table import Table

SWITCHES = (
    Switch("revoked", "Revoke the token (401)"),
    Switch("requests_per_window", "Requests per window (0: no limit)", "number", 100),
    Switch("window_seconds", "Window length in seconds", "number", 10),
)
ERRORS: dict[int, tuple[str, str]] = {
    400: ("invalid_request", "The request is invalid."),
    401: ("unauthorized", "The access token is not valid."),
    403: ("forbidden", "The access token lacks a permission."),
    404: ("not_found", "There is no such record."),
    409: ("taken", "Another record has this value."),
    422: ("invalid_value", "A value is invalid."),
    429: ("rate_limited", "Too many requests."),
}


class ApiSandbox(Sandbox):
    """A simulated JSON API with a bearer token, a fixed rate limit window and `Table`s of records.

    Besides `SWITCHES`, it takes the action `attributes`: a list of attributes to add, each with `kind`, `name` and
    `type`.
    """

    request_id_header: ClassVar[str] = "X-Request-Id"
    quota_headers = ("X-RateLimit-Remaining", "X-RateLimit-Reset")
    switch_table = SWITCHES
    errors: ClassVar[Mapping[int, tuple[str, str]]] = ERRORS
    """The vendor's usual code and message of each status."""

    @abstractmethod
    def empty_tables(self) -> dict[str, Table]:
        """The kinds of records of an empty workspace, with the vendor's standard attributes."""

    @abstractmethod
    def error_body(self, error: ApiError) -> Any:
        """The JSON of an error response, as the vendor documents it."""

    def reset(self) -> None:
        """Empties the workspace. Switches stay as they are."""
        self.tables = self.empty_tables()
        self.window = Window(time.time)
        self.request_id = ""

    def state(self) -> dict[str, Any]:
        return {kind: list(table.records.values()) for kind, table in self.tables.items()}

    def collections(self) -> dict[str, Collection]:
        return {kind: table.collection() for kind, table in self.tables.items()}

    def archive(self, kind: str, name: str, archived: bool) -> None:
        self.tables[kind].attributes[name].archived = archived

    def edit(self, kind: str, remote_id: str, values: Mapping[str, Any], by: Editor) -> None:
        self.tables[kind].save(values, remote_id)

    def guard(self, request: Request) -> Reply | None:
        """Checks the token, then counts the request."""
        self.request_id = str(uuid.uuid4())
        self.window.headers = {}
        if token_of(request) != self.token or self.switches.get("revoked"):
            raise self._usual(401)
        limit, seconds = self.switches.get("requests_per_window", 100), self.switches.get("window_seconds", 10)
        if not self.window.take(int(limit), float(seconds)):
            raise self._usual(429)
        return None

    def unknown(self, request: Request) -> Reply:
        return self.refusal(ApiError(404, "no_such_endpoint", f"There is no {request.method} {request.path}."))

    def refusal(self, error: ApiError) -> Reply:
        return Reply(error.status, self.error_body(error), error.headers)

    def error_reply(self, status: int, message: str = "") -> Reply:
        return self.refusal(self._usual(status, message))

    def headers(self, request: Request) -> dict[str, str]:
        return {self.request_id_header: self.request_id, **self.window.headers}

    def _usual(self, status: int, message: str = "") -> ApiError:
        code, usual_message = self.errors.get(status, ("internal_error", "Something went wrong."))
        return ApiError(status, code, message or usual_message, headers={"Retry-After": "1"} if status == 429 else {})

    def _route(self, request: Request) -> Reply:
        try:
            return super()._route(request)
        except Problem as problem:
            # An endpoint that is not written yet says so to whoever calls it.
            raise ApiError(501, problem.code, problem.message) from None
        except (LookupError, NameError, TypeError, ValueError, AttributeError) as error:
            raise ApiError(500, "simulator_error", f"The simulator raised {type(error).__name__}: {error}") from error

    def _switch(self, values: dict[str, Any]) -> None:
        for entry in values.pop("attributes", ()):
            attribute = Attribute(entry["name"], entry.get("type", "text"), fixed=False)
            self.tables[entry["kind"]].attributes[attribute.name] = attribute
        super()._switch(values)
