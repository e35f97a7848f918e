"""What can go wrong, classified by what happens next.

    Problem
    ├── Rejected        this record only: count it, show it, continue with the others
    ├── Unavailable     wait: the other side is down, slow or throttling; the same call may work later
    └── Misconfigured   tell the user: nothing will work until a person changes something

Any other exception is a bug in this program and surfaces as one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class Problem(Exception):
    """A failure that a person can understand.

    Args:
        code: stable, snake_case; people script against it.
        message: one or two sentences for the user, including what to do. Never contains a secret or a record's value.
        detail: for the log only, e.g. the driver's original message.
    """

    origin: str = ""
    """Which side it comes from: `source` or `connection`. Noted by the code that talks to it, once it is known."""

    def __init__(self, code: str, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.detail = detail


class Rejected(Problem):
    """This record can't be written as it is; the others can.

    Args:
        field: the destination attribute or source column in question, if known.
        request_id: the vendor's ID of the rejected request, for a support case.
    """

    def __init__(self, code: str, message: str, *, detail: str = "", field: str = "", request_id: str = "") -> None:
        super().__init__(code, message, detail=detail)
        self.field = field
        self.request_id = request_id


class Unavailable(Problem):
    """The other side can't answer right now.

    Args:
        retry_after: seconds to wait before the next attempt, if the other side specified it.
        not_before: the moment before which no request succeeds, such as the end of a daily limit, with a time zone.
            Unlike after a short throttle, nothing waits for it: the run ends, and continues then.
        throttled: the request was turned away unprocessed because of a rate limit.
        ambiguous: the request may have been processed even though no response arrived.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        detail: str = "",
        retry_after: float | None = None,
        not_before: datetime | None = None,
        throttled: bool = False,
        ambiguous: bool = False,
    ) -> None:
        super().__init__(code, message, detail=detail)
        self.retry_after = retry_after
        self.not_before = not_before
        self.throttled = throttled
        self.ambiguous = ambiguous


class Misconfigured(Problem):
    """Nothing will work until a person changes a setting, a credential or a mapping.

    Args:
        where: the setting, field or mapping row in question, if known.
    """

    def __init__(self, code: str, message: str, *, detail: str = "", where: str = "") -> None:
        super().__init__(code, message, detail=detail)
        self.where = where
