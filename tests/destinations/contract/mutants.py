"""Mistakes that people make in a service, planted in services that have none."""

from __future__ import annotations

import dataclasses
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from core.errors import Misconfigured, Problem, Rejected, Unavailable
from destinations.contract import (
    Author,
    Created,
    Field,
    Held,
    Operation,
    Outcome,
    Plain,
    Purpose,
    Quota,
    Result,
    Revealed,
    Service,
    Verb,
    Workspace,
    Writer,
)

Mistake = Callable[[Service], Service]
ATTIO, PEOPLE, COMPANIES, CONTACTS, NIMBUS = (
    "attio.companies", "attio.people", "intercom.companies", "intercom.contacts", "nimbus.accounts"
)  # fmt: skip
SHIPPED = (ATTIO, PEOPLE, COMPANIES, CONTACTS)
ALL = (*SHIPPED, NIMBUS)
MISTAKES: dict[str, tuple[str, Mistake]] = {}
"""By a name that contains the service: the service, and what makes the mistake in it."""


def mistake(*slugs: str) -> Callable[[Mistake], Mistake]:
    """Declares a mistake that can be made in these services. It is planted in the last and in one other."""

    def declare(plant: Mistake) -> Mistake:
        turn = len(MISTAKES) % max(1, len(slugs) - 1)
        for slug in dict.fromkeys((slugs[turn], slugs[-1])):
            MISTAKES[f"{slug} {plant.__name__}"] = (slug, plant)
        return plant

    return declare


def changed(service: Service, **methods: Any) -> Service:
    """The service with other methods or attributes. A method receives the real one as its first argument."""

    def bound(real: Any, method: Any) -> Any:
        return lambda _self, *args, **kwargs: method(real, *args, **kwargs)

    made = {
        name: bound(getattr(service, name), method) if callable(method) else method for name, method in methods.items()
    }
    mutant: Service = type("Mutant", (type(service),), made)()
    return mutant


def with_client(service: Service, change: Callable[[Any], None]) -> Service:
    """The service with a platform whose clients are changed."""

    class Platform(type(service.platform)):  # type: ignore[misc]
        def client(self, *args: Any) -> Any:
            client = super().client(*args)
            change(client)
            return client

    return changed(service, platform=Platform())


def with_write(service: Service, change: Callable[[Operation], Operation]) -> Service:
    """The service with every operation changed before it is written."""
    return changed(
        service,
        write=lambda real, client, operation: real(client, change(operation)),
        write_all=lambda real, client, operations: real(client, [change(each) for each in operations]),
    )


def with_answer(service: Service, change: Callable[[Outcome | Problem, Operation], Outcome | Problem]) -> Service:
    """The service with every outcome or problem of a write changed."""

    def write(real: Any, client: Any, operation: Operation) -> Outcome:
        try:
            answer = change(real(client, operation), operation)
        except Problem as problem:
            answer = change(problem, operation)
        if isinstance(answer, Problem):
            raise answer
        return answer

    return changed(service, write=write)


def with_fields(service: Service, change: Callable[[Field], Field]) -> Service:
    return changed(service, fields=lambda real, client: [change(field) for field in real(client)])


class Gate:
    """Passes calls on to the real gate."""

    def __init__(self, real: Any) -> None:
        self.real = real

    def wait(self, purpose: Purpose) -> None:
        self.real.wait(purpose)

    def answered(self, status: int | None, seconds: float) -> None:
        self.real.answered(status, seconds)

    def learn(self, purpose: Purpose, quota: Quota) -> None:
        self.real.learn(purpose, quota)


def with_gate(service: Service, gate: type[Gate]) -> Service:
    def change(client: Any) -> None:
        client.gate = gate(client.gate)

    return with_client(service, change)


# Requests


@mistake(*ALL)
def waits_for_no_request(service: Service) -> Service:
    return with_gate(service, type("Deaf", (Gate,), {"wait": lambda self, purpose: None}))


@mistake(*ALL)
def waits_twice(service: Service) -> Service:
    def wait(self: Gate, purpose: Purpose) -> None:
        self.real.wait(purpose)
        self.real.wait(purpose)

    return with_gate(service, type("Eager", (Gate,), {"wait": wait}))


@mistake(COMPANIES, CONTACTS, NIMBUS)
def learns_no_quota(service: Service) -> Service:
    return with_gate(service, type("Forgetful", (Gate,), {"learn": lambda self, purpose, quota: None}))


@mistake(COMPANIES, CONTACTS, NIMBUS)
def learns_more_than_what_remains(service: Service) -> Service:
    def learn(self: Gate, purpose: Purpose, quota: Quota) -> None:
        self.real.learn(purpose, dataclasses.replace(quota, remaining=quota.remaining + 1))

    return with_gate(service, type("Greedy", (Gate,), {"learn": learn}))


@mistake(COMPANIES, NIMBUS)
def learns_nothing_while_throttled(service: Service) -> Service:
    def learn(self: Gate, purpose: Purpose, quota: Quota) -> None:
        if quota.remaining:
            self.real.learn(purpose, quota)

    return with_gate(service, type("Sunny", (Gate,), {"learn": learn}))


@mistake(*ALL)
def counts_every_request_as_a_lookup(service: Service) -> Service:
    return with_gate(service, type("Same", (Gate,), {"wait": lambda self, purpose: self.real.wait(Purpose.LOOKUP)}))


@mistake(*ALL)
def counts_every_request_as_a_write(service: Service) -> Service:
    return with_gate(service, type("Same", (Gate,), {"wait": lambda self, purpose: self.real.wait(Purpose.WRITE)}))


@mistake(*ALL)
def sends_a_write_again_after_the_connection_closed(service: Service) -> Service:
    def write(real: Any, client: Any, operation: Operation) -> Outcome:
        try:
            outcome: Outcome = real(client, operation)
        except Unavailable:
            outcome = real(client, operation)
        return outcome

    return changed(service, write=write)


@mistake(*ALL)
def looks_every_record_up_before_it_writes(service: Service) -> Service:
    def write(real: Any, client: Any, operation: Operation) -> Outcome:
        field = Field(operation.match_field, "", "domain" if service.slug == ATTIO else "text", matchable=True)
        service.find(client, field, [str(operation.match_value)])
        outcome: Outcome = real(client, operation)
        return outcome

    return changed(service, write=write)


@mistake(*ALL)
def sends_the_credential_in_the_address(service: Service) -> Service:
    def change(client: Any) -> None:
        send, coded = client.exchange, b64encode(client.secret.encode()).decode()

        def exchange(purpose: Purpose, method: str, path: str, **content: Any) -> Any:
            return send(purpose, method, path, **{**content, "params": {**(content.get("params") or {}), "k": coded}})

        client.exchange = exchange

    return with_client(service, change)


# Writes


@mistake(*ALL)
def update_sends_unchanged_fields(service: Service) -> Service:
    return with_write(service, lambda operation: dataclasses.replace(operation, changed=frozenset(operation.values)))


@mistake(*ALL)
def update_sends_one_field_less(service: Service) -> Service:
    return with_write(
        service, lambda operation: dataclasses.replace(operation, changed=frozenset(sorted(operation.changed)[1:]))
    )


@mistake(*ALL)
def update_creates_what_is_gone(service: Service) -> Service:
    def write(real: Any, client: Any, operation: Operation) -> Outcome:
        outcome: Outcome = real(client, operation)
        if outcome.result is Result.GONE:
            outcome = real(client, dataclasses.replace(operation, verb=Verb.UPSERT))
        return outcome

    return changed(service, write=write)


@mistake(ATTIO, PEOPLE, CONTACTS, NIMBUS)
def create_is_sent_as_an_upsert(service: Service) -> Service:
    return with_write(
        service,
        lambda operation: dataclasses.replace(
            operation, verb=Verb.UPSERT if operation.verb is Verb.CREATE else operation.verb
        ),
    )


@mistake(ATTIO, PEOPLE, CONTACTS, NIMBUS)
def upsert_is_sent_as_a_create(service: Service) -> Service:
    return with_write(
        service,
        lambda operation: dataclasses.replace(
            operation, verb=Verb.CREATE if operation.verb is Verb.UPSERT else operation.verb
        ),
    )


@mistake(*ALL)
def false_and_zero_are_left_out(service: Service) -> Service:
    return with_write(
        service,
        lambda operation: dataclasses.replace(
            operation,
            values={name: wire for name, wire in operation.values.items() if wire or wire in ([], None)},
            changed=operation.changed - {name for name, wire in operation.values.items() if not wire and wire != []},
        ),
    )


@mistake(*ALL)
def outcome_has_the_match_value_as_its_id(service: Service) -> Service:
    return with_answer(
        service,
        lambda answer, operation: (
            dataclasses.replace(answer, remote_id=str(operation.match_value)) if isinstance(answer, Outcome) else answer
        ),
    )


@mistake(*ALL)
def outcome_says_that_everything_was_created(service: Service) -> Service:
    return with_answer(
        service,
        lambda answer, _: dataclasses.replace(answer, created=Created.YES) if isinstance(answer, Outcome) else answer,
    )


@mistake(*ALL)
def outcome_does_not_say_what_was_sent(service: Service) -> Service:
    return with_answer(
        service, lambda answer, _: dataclasses.replace(answer, sent=()) if isinstance(answer, Outcome) else answer
    )


@mistake(*ALL)
def rejected_record_counts_as_accepted(service: Service) -> Service:
    return with_answer(
        service, lambda answer, _: Outcome(Result.ACCEPTED, "1") if isinstance(answer, Rejected) else answer
    )


# Values


@mistake(*ALL)
def text_is_trimmed(service: Service) -> Service:
    return changed(service, convert=lambda real, field, value, *rest: _trimmed(real(field, value, *rest)))


def _trimmed(wire: Any) -> Any:
    return wire.strip() if isinstance(wire, str) else wire


@mistake(*ALL)
def text_is_cut_off(service: Service) -> Service:
    def convert(real: Any, field: Field, value: Any, *rest: Any) -> Any:
        wire = real(field, value, *rest)
        return wire[:100] if isinstance(wire, str) else wire

    return changed(service, convert=convert)


@mistake(*ALL)
def booleans_are_spelled_as_in_python(service: Service) -> Service:
    return changed(
        service,
        convert=lambda real, field, value, *rest: (
            str(value) if isinstance(value, bool) and field.type in ("text", "string") else real(field, value, *rest)
        ),
    )


@mistake(COMPANIES, CONTACTS, NIMBUS)
def booleans_are_sent_as_text(service: Service) -> Service:
    def convert(real: Any, field: Field, value: Any, *rest: Any) -> Any:
        wire = real(field, value, *rest)
        return str(wire).lower() if isinstance(wire, bool) else wire

    return changed(service, convert=convert)


@mistake(*ALL)
def whole_numbers_get_decimals(service: Service) -> Service:
    def convert(real: Any, field: Field, value: Any, *rest: Any) -> Any:
        wire = real(field, value, *rest)
        return float(wire) if isinstance(wire, int) and not isinstance(wire, bool) else wire

    return changed(service, convert=convert)


@mistake(*ALL)
def whole_numbers_in_text_get_decimals(service: Service) -> Service:
    return changed(
        service,
        convert=lambda real, field, value, *rest: (
            f"{value:.1f}"
            if isinstance(value, int | float) and field.type in ("text", "string")
            else real(field, value, *rest)
        ),
    )


@mistake(*ALL)
def times_lose_their_zone(service: Service) -> Service:
    return changed(
        service,
        convert=lambda real, field, value, *rest: real(
            field, value.replace(tzinfo=UTC) if isinstance(value, datetime) else value, *rest
        ),
    )


@mistake(*ALL)
def odd_values_raise_a_bare_error(service: Service) -> Service:
    def convert(real: Any, field: Field, value: Any, *rest: Any) -> Any:
        try:
            return real(field, value, *rest)
        except Rejected as rejected:
            raise ValueError(str(value)) from rejected

    return changed(service, convert=convert)


@mistake(*ALL)
def rejections_of_values_do_not_name_the_field(service: Service) -> Service:
    def convert(real: Any, field: Field, value: Any, *rest: Any) -> Any:
        try:
            return real(field, value, *rest)
        except Rejected:
            raise Rejected("value_invalid", "A value is not valid.") from None

    return changed(service, convert=convert)


@mistake(ATTIO, COMPANIES, NIMBUS)
def plain_text_has_no_limit(service: Service) -> Service:
    return changed(
        service,
        plain=lambda real, field, type_name: (
            Plain("text") if type_name in ("text", "number") else real(field, type_name)
        ),
    )


@mistake(ATTIO, COMPANIES)
def plain_sends_numbers_of_any_size(service: Service) -> Service:
    return changed(
        service,
        plain=lambda real, field, type_name: (
            dataclasses.replace(found, largest=2**62, places=9) if (found := real(field, type_name)) else None
        ),
    )


@mistake(ATTIO, COMPANIES, NIMBUS)
def plain_sends_times_in_the_wrong_form(service: Service) -> Service:
    forms = {"moment": "seconds", "seconds": "moment", "day": "seconds"}
    return changed(
        service,
        plain=lambda real, field, type_name: (
            dataclasses.replace(found, form=forms.get(found.form, found.form))
            if (found := real(field, type_name))
            else None
        ),
    )


@mistake(PEOPLE, CONTACTS, NIMBUS)
def plain_skips_the_check_of_email_addresses(service: Service) -> Service:
    return changed(
        service,
        plain=lambda real, field, type_name: (
            Plain("text", listed=field.multiple) if field.matchable and type_name == "text" else real(field, type_name)
        ),
    )


@mistake(*ALL)
def empty_is_an_empty_text(service: Service) -> Service:
    return changed(service, empty=lambda real, field: (real(field) and "") or "")


@mistake(*ALL)
def nothing_can_be_cleared(service: Service) -> Service:
    def empty(real: Any, field: Field) -> Any:
        raise Rejected("required", f"{field.name} can't be cleared.", field=field.name)

    return changed(service, empty=empty)


@mistake(CONTACTS, NIMBUS)
def everything_can_be_cleared(service: Service) -> Service:
    return changed(service, empty=lambda real, field: [] if field.multiple else None)


# Lists


@mistake(ATTIO, PEOPLE, NIMBUS)
def lists_are_replaced_instead_of_added_to(service: Service) -> Service:
    return with_write(service, lambda operation: dataclasses.replace(operation, add=frozenset()))


@mistake(ATTIO, PEOPLE, NIMBUS)
def lists_are_added_to_instead_of_replaced(service: Service) -> Service:
    def change(operation: Operation) -> Operation:
        lists = frozenset(name for name, wire in operation.values.items() if isinstance(wire, list))
        return dataclasses.replace(operation, add=lists)

    return with_write(service, change)


@mistake(ATTIO, PEOPLE, NIMBUS)
def lists_lose_their_last_value(service: Service) -> Service:
    def convert(real: Any, field: Field, value: Any, *rest: Any) -> Any:
        wire = real(field, value, *rest)
        return wire[:-1] if isinstance(wire, list) and len(wire) > 1 else wire

    return changed(service, convert=convert)


# Identities


@mistake(*ALL)
def identity_differs_from_what_find_returns(service: Service) -> Service:
    return changed(service, identity=lambda real, field, wire: f"{real(field, wire)}.")


@mistake(COMPANIES, NIMBUS)
def identity_ignores_case_where_the_vendor_does_not(service: Service) -> Service:
    def identity(real: Any, field: Field, wire: Any) -> str:
        return str(real(field, wire)).casefold()

    def find(real: Any, client: Any, match: Field, identities: Any) -> dict[str, str]:
        return {name.casefold(): known for name, known in real(client, match, identities).items()}

    return changed(service, identity=identity, find=find)


@mistake(CONTACTS)
def identity_respects_case_where_the_vendor_does_not(service: Service) -> Service:
    return changed(service, identity=lambda real, field, wire: str(wire))


@mistake(*ALL)
def find_answers_that_nothing_exists_if_the_vendor_fails(service: Service) -> Service:
    def find(real: Any, client: Any, match: Field, identities: Any) -> Any:
        try:
            return real(client, match, identities)
        except Unavailable:
            return {}

    return changed(service, find=find)


@mistake(*ALL)
def find_returns_the_first_record_only(service: Service) -> Service:
    return changed(service, find=lambda real, *args: dict(list(real(*args).items())[:1]) if len(args[2]) > 1 else {})


# Fields


@mistake(*ALL)
def read_only_fields_are_offered(service: Service) -> Service:
    return with_fields(service, lambda field: dataclasses.replace(field, writable=True, read_only_reason=""))


@mistake(*ALL)
def one_read_only_field_is_offered(service: Service) -> Service:
    names = {"created_at", "created_by"}
    return with_fields(
        service, lambda field: dataclasses.replace(field, writable=True) if field.name in names else field
    )


@mistake(*ALL)
def everything_is_matchable(service: Service) -> Service:
    return with_fields(service, lambda field: dataclasses.replace(field, matchable=True))


@mistake(*ALL)
def one_field_too_many_is_matchable(service: Service) -> Service:
    return with_fields(
        service, lambda field: dataclasses.replace(field, matchable=field.matchable or field.name == "name")
    )


@mistake(*ALL)
def options_are_lost(service: Service) -> Service:
    return with_fields(service, lambda field: dataclasses.replace(field, options=()))


@mistake(*ALL)
def last_option_is_lost(service: Service) -> Service:
    return with_fields(service, lambda field: dataclasses.replace(field, options=field.options[:-1]))


@mistake(ATTIO, PEOPLE, NIMBUS)
def lists_are_not_marked(service: Service) -> Service:
    return with_fields(service, lambda field: dataclasses.replace(field, multiple=False))


@mistake(*ALL)
def first_field_is_missing(service: Service) -> Service:
    return changed(service, fields=lambda real, client: real(client)[1:])


@mistake(*ALL)
def archived_fields_are_offered(service: Service) -> Service:
    remembered: dict[str, Field] = {}

    def fields(real: Any, client: Any) -> list[Field]:
        remembered.update({field.name: field for field in real(client) if field.name not in remembered})
        return list(remembered.values())

    return changed(service, fields=fields)


# Batches


@mistake(NIMBUS)
def batches_are_larger_than_allowed(service: Service) -> Service:
    return changed(service, limits=dataclasses.replace(service.limits, write_batch=21))


@mistake(NIMBUS)
def lookups_are_larger_than_allowed(service: Service) -> Service:
    return changed(service, limits=dataclasses.replace(service.limits, find_batch=service.limits.find_batch * 20))


@mistake(NIMBUS)
def record_that_an_answer_passes_over_counts_as_written(service: Service) -> Service:
    def write_all(real: Any, client: Any, operations: Any) -> list[Any]:
        return [
            Outcome(Result.ACCEPTED, "1") if isinstance(answer, Unavailable) else answer
            for answer in real(client, operations)
        ]

    return changed(service, write_all=write_all)


@mistake(NIMBUS)
def answers_are_taken_in_the_vendors_order(service: Service) -> Service:
    return changed(service, write_all=lambda real, client, operations: list(real(client, operations))[::-1])


@mistake(NIMBUS)
def answers_of_a_batch_are_short_by_the_rejected(service: Service) -> Service:
    return changed(
        service,
        write_all=lambda real, client, operations: [
            answer for answer in real(client, operations) if not isinstance(answer, Rejected)
        ],
    )


@mistake(NIMBUS)
def one_rejected_record_rejects_a_batch_that_is_written(service: Service) -> Service:
    def write_all(real: Any, client: Any, operations: Any) -> list[Any]:
        answers = list(real(client, operations))
        for answer in answers:
            if isinstance(answer, Rejected):
                raise answer
        return answers

    return changed(service, write_all=write_all)


@mistake(NIMBUS)
def batch_is_sent_one_by_one(service: Service) -> Service:
    return changed(
        service,
        write_all=lambda real, client, operations: [answer for each in operations for answer in real(client, [each])],
    )


# Errors


@mistake(*ALL)
def fields_are_empty_if_the_vendor_fails(service: Service) -> Service:
    def fields(real: Any, client: Any) -> list[Field]:
        try:
            found: list[Field] = real(client)
        except Unavailable:
            return []
        return found

    return changed(service, fields=fields)


@mistake(ATTIO, PEOPLE)
def only_the_first_identity_is_used(service: Service) -> Service:
    return changed(service, identities=lambda real, field, wire: real(field, wire)[:1])


@mistake(*ALL)
def text_over_255_characters_is_cut_off(service: Service) -> Service:
    def convert(real: Any, field: Field, value: Any, *rest: Any) -> Any:
        return real(field, value[:255] if isinstance(value, str) else value, *rest)

    return changed(service, convert=convert)


@mistake(NIMBUS)
def batch_sends_unchanged_fields(service: Service) -> Service:
    return changed(
        service,
        write_all=lambda real, client, operations: real(
            client, [dataclasses.replace(each, changed=frozenset(each.values)) for each in operations]
        ),
    )


@mistake(NIMBUS)
def batch_replaces_lists_instead_of_adding(service: Service) -> Service:
    return changed(
        service,
        write_all=lambda real, client, operations: real(
            client, [dataclasses.replace(each, add=frozenset()) for each in operations]
        ),
    )


@mistake(*ALL)
def daily_limit_is_taken_for_a_short_throttle(service: Service) -> Service:
    def change(answer: Outcome | Problem, _: Operation) -> Outcome | Problem:
        if isinstance(answer, Unavailable):
            answer.retry_after, answer.not_before = min(answer.retry_after or 0, 60), None
        return answer

    return with_answer(service, change)


@mistake(*ALL)
def wait_of_a_throttle_is_forgotten(service: Service) -> Service:
    def change(answer: Outcome | Problem, _: Operation) -> Outcome | Problem:
        if isinstance(answer, Unavailable):
            answer.retry_after = None
        return answer

    return with_answer(service, change)


@mistake(*ALL)
def throttle_is_taken_for_an_outage(service: Service) -> Service:
    def change(answer: Outcome | Problem, _: Operation) -> Outcome | Problem:
        if isinstance(answer, Unavailable):
            answer.throttled = False
        return answer

    return with_answer(service, change)


@mistake(*ALL)
def lost_responses_are_not_ambiguous(service: Service) -> Service:
    def change(answer: Outcome | Problem, _: Operation) -> Outcome | Problem:
        if isinstance(answer, Unavailable):
            answer.ambiguous = False
        return answer

    return with_answer(service, change)


@mistake(*ALL)
def rejected_value_is_taken_for_a_settings_error(service: Service) -> Service:
    return with_answer(
        service,
        lambda answer, _: Misconfigured(answer.code, answer.message) if isinstance(answer, Rejected) else answer,
    )


@mistake(*ALL)
def settings_error_is_taken_for_a_rejected_value(service: Service) -> Service:
    return with_answer(
        service,
        lambda answer, _: Rejected(answer.code, answer.message) if isinstance(answer, Misconfigured) else answer,
    )


@mistake(ATTIO, PEOPLE, COMPANIES, NIMBUS)
def temporary_error_rejects_the_record(service: Service) -> Service:
    return with_answer(
        service,
        lambda answer, _: (
            Rejected(answer.code, answer.message)
            if isinstance(answer, Unavailable) and not answer.throttled and not answer.ambiguous
            else answer
        ),
    )


@mistake(*ALL)
def message_quotes_a_value(service: Service) -> Service:
    return with_answer(
        service,
        lambda answer, operation: (
            Rejected(answer.code, f"{operation.values} are wrong.", request_id=answer.request_id)
            if isinstance(answer, Rejected)
            else answer
        ),
    )


@mistake(*ALL)
def credential_check_sends_no_request(service: Service) -> Service:
    class Platform(type(service.platform)):  # type: ignore[misc]
        def check(self, client: Any) -> Workspace:
            return Workspace("1", "One")

    return changed(service, platform=Platform())


# Records held


@mistake(*SHIPPED)
def values_are_not_shown(service: Service) -> Service:
    return changed(service, shown=lambda real, field, held: None)


@mistake(*SHIPPED)
def our_values_are_those_of_a_person(service: Service) -> Service:
    return changed(service, author=lambda real, field, held: Author(Writer.PERSON))


@mistake(*SHIPPED)
def edits_of_people_are_ours(service: Service) -> Service:
    return changed(service, author=lambda real, field, held: Author(Writer.OURS))


# Write policies


@mistake(*SHIPPED)
def every_field_counts_as_empty(service: Service) -> Service:
    return changed(service, is_empty=lambda real, field, held: True)


@mistake(*SHIPPED)
def no_field_counts_as_empty(service: Service) -> Service:
    return changed(service, is_empty=lambda real, field, held: False)


@mistake(*SHIPPED)
def record_that_is_read_by_its_id_has_no_values(service: Service) -> Service:
    def read(real: Any, *args: Any) -> Held | None:
        held: Held | None = real(*args)
        return dataclasses.replace(held, values={}) if held else None

    return changed(service, read=read)


# Hidden records


@mistake("intercom.companies")
def everything_that_is_found_is_attached(service: Service) -> Service:
    def reveal(real: Any, client: Any, remote_id: str, candidates: Any, at_most: int, **more: Any) -> Any:
        return real(client, remote_id, candidates, len(candidates), **more)

    return changed(service, reveal=reveal)


@mistake("intercom.companies")
def visible_record_gets_one_more(service: Service) -> Service:
    def reveal(real: Any, *args: Any, is_hidden: bool) -> Any:
        return real(*args, is_hidden=True)

    return changed(service, reveal=reveal)


@mistake("intercom.companies")
def failed_reveal_counts_as_nobody_found(service: Service) -> Service:
    def reveal(real: Any, *args: Any, **more: Any) -> Any:
        try:
            return real(*args, **more)
        except Unavailable:
            return Revealed()

    return changed(service, reveal=reveal)
