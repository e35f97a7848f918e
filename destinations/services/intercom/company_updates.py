"""Updates known companies by their Intercom ID, and says what an accepted write means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import Misconfigured, Rejected
from destinations.contract import Operation, Outcome, Result, Wire
from destinations.services.intercom.attributes import MATCH
from destinations.services.intercom.bodies import check_cleared, request_body, timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from destinations.kit.answer import Answer
    from destinations.services.intercom.client import IntercomClient

CREATED_AT = "remote_created_at"


def update(client: IntercomClient, operation: Operation) -> Outcome:
    """Updates a company by its Intercom ID, with a fallback for `remote_created_at`.

    The API reference lists `remote_created_at` for `POST /companies` but not for `PUT /companies/{id}`. So PUT may
    accept it, reject the request, or ignore the attribute and answer with the old value. PUT is tried until it fails
    once. After that, the client goes directly to the fallback, which saves a useless request for every later record.
    """
    sent = {name: value for name, value in operation.values.items() if name in operation.changed}
    if not sent:
        return Outcome(Result.ACCEPTED, operation.remote_id)
    if CREATED_AT in sent and not client.created_at_updatable:
        return _update_without_created_at(client, operation, sent)
    try:
        answer = client.put(operation.remote_id, request_body(sent))
    except (Misconfigured, Rejected) as problem:
        if CREATED_AT not in sent or CREATED_AT not in (getattr(problem, "where", ""), getattr(problem, "field", "")):
            raise
        client.created_at_updatable = False
        return _update_without_created_at(client, operation, sent)
    if answer is None:
        return Outcome(Result.GONE)
    if _has_created_at(sent, answer):
        return accepted(answer, sent, tuple(sent))
    client.created_at_updatable = False
    if operation.may_create:
        return _post_whole_record(client, operation)
    raise _created_at_fixed(answer.request_id)


def _update_without_created_at(client: IntercomClient, operation: Operation, sent: Mapping[str, Wire]) -> Outcome:
    """The fallback if PUT does not accept `remote_created_at`.

    Upsert mode sends the whole record by POST, which does accept it. Update mode must not use POST, because POST
    creates the company if it no longer exists. It sends the other attributes, and succeeds only if Intercom already
    has the right `remote_created_at`.
    """
    if operation.may_create:
        return _post_whole_record(client, operation)
    rest = {name: value for name, value in sent.items() if name != CREATED_AT}
    answer = client.put(operation.remote_id, request_body(rest)) if rest else client.get(operation.remote_id)
    if answer is None:
        return Outcome(Result.GONE)
    if not _has_created_at(sent, answer):
        raise _created_at_fixed(answer.request_id)
    return accepted(answer, rest, tuple(rest))


def _post_whole_record(client: IntercomClient, operation: Operation) -> Outcome:
    answer = client.post({MATCH: str(operation.match_value), **request_body(operation.values)})
    if not _has_created_at(operation.values, answer):
        raise _created_at_fixed(answer.request_id)
    return accepted(answer, operation.values, (MATCH, *operation.values))


def _has_created_at(sent: Mapping[str, Wire], answer: Answer) -> bool:
    """Whether the answer has the `remote_created_at` that was sent. `check_cleared` checks one that was cleared."""
    return sent.get(CREATED_AT) is None or answer.body.get(CREATED_AT) == sent[CREATED_AT]


def _created_at_fixed(request_id: str) -> Rejected:
    return Rejected(
        "remote_created_at_fixed",
        "Intercom did not change the remote_created_at that this company already has. The attribute can be set when a "
        "company is created, but can't be kept up to date. Remove it from the mapping, or correct it in Intercom.",
        field=CREATED_AT,
        request_id=request_id,
    )


def accepted(answer: Answer, sent: Mapping[str, Wire], names: tuple[str, ...]) -> Outcome:
    """The outcome of a write that Intercom accepted. Raises Rejected if it kept a value that should be cleared."""
    company = answer.body
    check_cleared(sent, company, answer.request_id)
    return Outcome(
        Result.ACCEPTED,
        remote_id=str(company["id"]),
        created_at=timestamp(company.get("created_at")),
        sent=names,
        request_id=answer.request_id,
        hidden=company.get("user_count") == 0,
    )
