"""One service under test, with its sample, its platform's simulator and a client."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from unittest import mock

from core.errors import Problem, Rejected
from destinations.conformance.expectations import expect
from destinations.conformance.gate import RecordingGate
from destinations.conformance.logs import confidential, log_lines
from destinations.contract import Field, Held, Operation, Outcome, Service, Verb, records
from destinations.sandbox.wire import Collection, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from destinations.conformance.sample import Example, Sample
    from destinations.sandbox.base import Sandbox
    from destinations.sandbox.http_server import Server

TOKEN = "tok-7f3a9c-very-secret"  # noqa: S105
THREADS = 4


class Subject:
    """Writes numbered records of one service and inspects what the simulator stores."""

    def __init__(
        self, service: Service, sample: Sample, sandbox: Sandbox, fields: dict[str, Field] | None = None
    ) -> None:
        self.service, self.sample, self.sandbox = service, sample, sandbox
        self.batched = False
        """Whether records are written by `write_all` instead of `write`."""
        self.gate = RecordingGate(sandbox)
        self.client = service.platform.client({"token": TOKEN, **sample.settings}, self.gate, THREADS)
        self.fields = fields or self.discovered()
        self.gate.verify()
        self.gate.clear()

    def discovered(self) -> dict[str, Field]:
        """The service's fields as the simulator describes them now."""
        return {field.name: field for field in self.service.fields(self.client)}

    @property
    def match_field(self) -> Field:
        return self.field(self.service.default_match)

    @property
    def requests(self) -> int:
        """How many requests the simulator has received."""
        return len(self.sandbox.log)

    def field(self, name: str) -> Field:
        """The field with this name. Raises AssertionError if the service offers none."""
        expect(
            name in self.fields,
            f"fields() returns no field {name!r}, which the service or its sample names. It returns: "
            f"{', '.join(self.fields)}.",
        )
        return self.fields[name]

    def wire(self, example: Example) -> Any:
        """The wire value of an example."""
        return self.service.convert(self.field(example.field), example.value, example.origin)

    def match(self, number: int) -> Any:
        """The wire value that identifies record `number`."""
        return self.service.convert(self.match_field, self.sample.match.format(n=number))

    def identity(self, number: int) -> str:
        return self.service.identity(self.match_field, self.match(number))

    def operation(
        self,
        number: int,
        verb: Verb = Verb.UPSERT,
        changed: Mapping[str, Any] = MappingProxyType({}),
        *,
        remote_id: str = "",
    ) -> Operation:
        """A write of record `number`, with values converted as a run converts them. UPDATE sends all of them."""
        wires = {
            name: self.service.convert(self.field(name), value)
            for name, value in {**self.sample.values, **changed}.items()
        }
        return self.raw(number, wires, verb, remote_id=remote_id)

    def raw(self, number: int, wires: Mapping[str, Any], verb: Verb = Verb.UPSERT, *, remote_id: str = "") -> Operation:
        """A write of record `number` with these wire values, all of which have changed."""
        return Operation(
            verb,
            self.match_field.name,
            self.match(number),
            dict(wires),
            frozenset(wires),
            remote_id=remote_id,
            may_create=verb is Verb.UPSERT,
        )

    def bad(self, number: int) -> Operation:
        """A write of record `number` with a value that the vendor rejects."""
        name, wire = self.sample.bad
        good = self.operation(number)
        return replace(good, values={**good.values, name: wire}, changed=good.changed | {name})

    def send(self, operation: Operation) -> Outcome:
        """Writes one record. Raises the Problem that the service reports."""
        if not self.batched:
            return self.service.write(self.client, operation)
        (answer,) = self.service.write_all(self.client, [operation])
        if isinstance(answer, Problem):
            raise answer
        return answer

    def write(
        self,
        number: int,
        verb: Verb = Verb.UPSERT,
        changed: Mapping[str, Any] = MappingProxyType({}),
        *,
        remote_id: str = "",
    ) -> Outcome:
        return self.send(self.operation(number, verb, changed, remote_id=remote_id))

    def write_text(self, number: int, text: str, verb: Verb = Verb.UPSERT, *, remote_id: str = "") -> Outcome:
        """Writes record `number` with this text in the sample's text field."""
        return self.write(number, verb, {self.sample.text: text}, remote_id=remote_id)

    def find(self, *identities: str) -> dict[str, str]:
        """The vendor's IDs by identity."""
        return {identity: held.remote_id for identity, held in self.find_held(*identities).items()}

    def find_held(self, *identities: str) -> dict[str, Held]:
        """The records by identity, with all that they hold."""
        found = records(self.service.find(self.client, self.match_field, identities))
        return {name: self.service.complete(self.client, held, list(self.fields)) for name, held in found.items()}

    def problem(self, call: Callable[[], Any]) -> Problem:
        """The problem that a call raises. It must not reveal a record's values or the token."""
        try:
            result = call()
        except Problem as problem:
            expect(problem.code and problem.message, f"{problem!r} needs a code and a message for the user.")
            self.assert_reveals_nothing(
                " ".join([str(problem), repr(problem), repr(vars(problem)), repr(problem.__cause__)])
            )
            return problem
        raise AssertionError(
            f"The service returned {result!r} although the request failed. Raise a core.errors.Problem."
        )

    def rejection_of(self, field: Field, value: Any) -> Any:
        """The wire value, or None if `convert` rejects the value as it should: naming the field, without the value."""
        try:
            return self.service.convert(field, value)
        except Rejected as rejected:
            expect(
                rejected.code and field.name in rejected.message and rejected.field == field.name,
                f"convert() rejects {value!r} for {field.name!r} without naming the field, both in the message and in "
                f"Rejected.field: {rejected.message}",
            )
            return None
        except Exception as error:
            raise AssertionError(
                f"convert() of {value!r} for {field.name!r} ({field.type}) raised {error!r}. Raise Rejected for a "
                "value that can't be converted."
            ) from error

    @property
    def collection(self) -> Collection:
        return self.sandbox.collections()[self.sample.kind]

    def ids(self) -> list[str]:
        """The vendor's IDs of all records, oldest first."""
        return list(self.collection.records)

    def attributes(self) -> dict[str, dict[str, Any]]:
        """The simulator's attributes by name, without archived ones."""
        return {entry["name"]: entry for entry in self.collection.attributes() if not entry["archived"]}

    def stored(self, remote_id: str) -> Mapping[str, Any]:
        """The values of a record at the simulator by attribute."""
        records = self.collection.records
        expect(remote_id in records, f"The outcome's remote_id is {remote_id!r}, but the simulator has no such record.")
        return self.collection.values_of(records[remote_id])

    def stored_value(self, remote_id: str, name: str) -> Any:
        """The stored value of a field; of `a.b`, the part `b` of attribute `a`. None if there is none."""
        values, (whole, _, part) = self.stored(remote_id), name.rpartition(".")
        if name not in values and isinstance(values.get(whole), dict):
            return values[whole].get(part)
        return values.get(name)

    def fail(self, action: str, **fault: Any) -> None:
        self.sandbox.faults.append(Fault(action, **fault))

    def respond(self, status: int, message: str = "", headers: Mapping[str, str] | None = None) -> None:
        """Makes the vendor respond to the next request with an error in its own format."""
        reply = self.sandbox.error_reply(status, message)
        chosen = reply.headers if headers is None else dict(headers)
        self.fail("reply", status=status, body=reply.body, headers=chosen)

    def start_over(self) -> None:
        """Empties the simulator in the middle of a check."""
        self.gate.verify()
        self.sandbox.reset()
        self.switch(self.sample.arrange)
        self.gate.clear()

    def switch(self, switches: Mapping[str, Any]) -> None:
        with self.sandbox.lock:
            self.sandbox._switch({**switches})

    def assert_reveals_nothing(self, text: str) -> None:
        for value in confidential(self.sample, TOKEN):
            expect(
                value.casefold() not in text.casefold(),
                f"A message, a detail or a log line contains {value!r}, which is the token or a record's value. "
                f"Leave values out of errors and logs: {text}",
            )


@contextmanager
def opened(
    service: Service, sample: Sample, server: Server, fields: dict[str, Field] | None = None
) -> Iterator[Subject]:
    """A subject with an empty simulator. At the end, every request must have passed the gate, and no log has a value.

    Args:
        fields: the service's fields, if they are known from an earlier check.
    """
    sandbox = server.sandbox
    sandbox.switches.clear()
    sandbox.reset()
    sandbox.faults.clear()
    sandbox.latency_seconds = 0
    sandbox._switch({**sample.arrange})
    with mock.patch.dict(os.environ, {service.platform.url_variable: server.url}), log_lines() as lines:
        subject = Subject(service, sample, sandbox, fields)
        try:
            yield subject
        finally:
            subject.client.close()
        subject.gate.verify()
        subject.assert_reveals_nothing(" ".join(lines))
