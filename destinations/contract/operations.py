"""Writes of single records, and their outcomes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from core.errors import Rejected
    from destinations.contract.fields import Wire


class Mode(StrEnum):
    """What an activation does with records that already exist at the destination, and with those that don't."""

    UPSERT = "upsert"
    UPDATE = "update"
    INSERT = "insert"


class Verb(StrEnum):
    """The kind of a write.

    UPSERT creates or updates by match value. UPDATE updates by the vendor's ID and never creates. CREATE creates, and
    never changes a record that exists.
    """

    UPSERT = "upsert"
    UPDATE = "update"
    CREATE = "create"


@dataclass(frozen=True)
class Operation:
    """One write of one record.

    Args:
        match_field, match_value: the field that identifies the record, and its wire value.
        values: the wire values of all mapped fields except the match. UPSERT and CREATE send them all.
        changed: names in `values` that differ from what was last accepted. UPDATE sends only these. It also contains
            `match_field` if the match value itself changed.
        may_create: the activation is in upsert mode, so an UPSERT is allowed if an UPDATE by ID is not possible.
        add: names of multiple fields whose values are added to the existing ones instead of replacing them.
        remote_id: the vendor's ID; empty unless the verb is UPDATE.
    """

    verb: Verb
    match_field: str
    match_value: Wire
    values: Mapping[str, Wire]
    changed: frozenset[str] = frozenset()
    add: frozenset[str] = frozenset()
    remote_id: str = ""
    may_create: bool = False


class Result(StrEnum):
    """What the vendor did.

    ACCEPTED: it wrote the record. GONE: an UPDATE found no record with this ID. EXISTS: a CREATE found an existing
    record with this match value.
    """

    ACCEPTED = "accepted"
    GONE = "gone"
    EXISTS = "exists"


class Created(StrEnum):
    """Whether a write created the record, as far as the response says."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Outcome:
    """The outcome of an operation that the vendor did not reject.

    Args:
        remote_id: the vendor's ID of the record; if it EXISTS, only if the response contains the ID.
        created_at: the vendor's creation time, if the response contains it.
        sent: names of the fields in the request.
        request_id: the vendor's ID of the request.
        web_url: the record's page in the vendor's application, if the response contains it.
        hidden: the vendor stores the record but does not show it to people yet; `Service.hidden_note` explains why.
        identities: every identity by which the record can now be found (see `Service.identities`), if the response
            contains them.
        waiting: the fields that the vendor did not take although it accepted the record, each with the reason. They are
            sent again in the next run.
        created: whether this write created the record. If the response doesn't say so, `created_at` decides.
    """

    result: Result
    remote_id: str = ""
    created_at: datetime | None = None
    sent: tuple[str, ...] = ()
    request_id: str = ""
    web_url: str = ""
    hidden: bool = False
    identities: tuple[str, ...] = ()
    waiting: Mapping[str, Rejected] = field(default_factory=dict)
    created: Created = Created.UNKNOWN
