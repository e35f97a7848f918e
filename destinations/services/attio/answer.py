"""PURE. One answer from Attio, and what its text reveals about attributes and records."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from destinations.kit import answer as kit

if TYPE_CHECKING:
    from collections.abc import Iterator

_RECORD_GONE = re.compile(r"^(?!Object |Attribute |Cannot find attribute|Could not find endpoint)")
_ATTRIBUTE_NAME = re.compile(r'(?:slug/ID|slug|with ID) "([^"]+)"')
_CONFLICTING = re.compile(r"Conflicting record IDs?:\s*([0-9a-f-]{36}(?:\s*,\s*[0-9a-f-]{36})*)", re.IGNORECASE)


class Answer(kit.Answer):
    """One answer from Attio. Its `request_id` is Attio's execution ID."""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300 and isinstance(self.body, dict)

    @property
    def code(self) -> str:
        return self.text("code")

    @property
    def message(self) -> str:
        return self.text("message")

    @property
    def record_is_gone(self) -> bool:
        """Whether a request for one record by ID was answered with "no such record"."""
        return self.status == 404 and self.code == "not_found" and bool(_RECORD_GONE.match(self.message))

    @property
    def named_attribute(self) -> str:
        """The slug or ID of the attribute that the answer names, or ""."""
        match = _ATTRIBUTE_NAME.search(self.message)
        return match[1] if match else next(self._invalid_attributes(), "")

    def _invalid_attributes(self) -> Iterator[str]:
        """The attributes in the paths of the validation errors: `data.values.<slug>`."""
        for entry in self.entries("validation_errors") or ():
            path = entry.get("path")
            if isinstance(path, list) and path[:2] == ["data", "values"] and len(path) > 2:
                yield str(path[2])

    @property
    def conflicting_records(self) -> list[str]:
        """The IDs of the records that already hold a value, if the message names them."""
        match = _CONFLICTING.search(self.message)
        return [part.strip() for part in match[1].split(",")] if match else []
