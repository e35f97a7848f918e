"""One service with its sample and its simulator, for the contract tests."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from core.errors import Problem
from destinations.contract import Field, Operation, Outcome, Service, Verb
from destinations.sandbox.wire import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from destinations.conformance import Sample
    from destinations.sandbox.base import Sandbox

TOKEN = "tok-7f3a9c-very-secret"


class Case:
    """Writes numbered records of one service and inspects the outcome."""

    def __init__(self, service: Service, sample: Sample, sandbox: Sandbox, client: Any) -> None:
        self.service, self.sample, self.sandbox, self.client = service, sample, sandbox, client
        self.fields = self.discovered()
        sandbox.log.clear()

    def discovered(self) -> dict[str, Field]:
        return {field.name: field for field in self.service.fields(self.client)}

    @property
    def match_field(self) -> Field:
        return self.fields[self.service.default_match]

    def operation(self, number: int, verb: Verb = Verb.UPSERT, *, remote_id: str = "", **changed: Any) -> Operation:
        """A write of record `number`, with values converted as a run converts them. UPDATE sends all of them."""
        wires = {
            name: self.service.convert(self.fields[name], value)
            for name, value in {**self.sample.values, **changed}.items()
        }
        match = self.service.convert(self.match_field, self.sample.match.format(n=number))
        return Operation(
            verb,
            self.match_field.name,
            match,
            wires,
            frozenset(wires),
            remote_id=remote_id,
            may_create=verb is Verb.UPSERT,
        )

    def bad(self, number: int) -> Operation:
        """A write of record `number` with a value that the vendor rejects."""
        name, wire = self.sample.bad
        good = self.operation(number)
        return replace(good, values={**good.values, name: wire}, changed=good.changed | {name})

    def identity(self, number: int) -> str:
        return self.service.identity(self.match_field, self.operation(number).match_value)

    def send(self, operation: Operation) -> Outcome:
        return self.service.write(self.client, operation)

    def write(self, number: int, verb: Verb = Verb.UPSERT, *, remote_id: str = "", **changed: Any) -> Outcome:
        return self.send(self.operation(number, verb, remote_id=remote_id, **changed))

    def problem(self, call: Callable[[], Any]) -> Problem:
        """The problem that a call raises. It must not reveal a record's values or the token."""
        with pytest.raises(Problem) as caught:
            call()
        problem = caught.value
        assert problem.code
        assert problem.message
        self.assert_reveals_nothing(
            " ".join([str(problem), repr(problem), repr(vars(problem)), repr(problem.__cause__)])
        )
        return problem

    def records(self) -> list[dict[str, Any]]:
        """The records that the vendor stores."""
        collection = self.sandbox.collections()[self.sample.kind]
        return [collection.as_dict(record) for record in collection.records.values()]

    def fail(self, action: str, **fault: Any) -> None:
        self.sandbox.faults.append(Fault(action, **fault))

    def respond(self, status: int, message: str = "", headers: dict[str, str] | None = None) -> None:
        """Makes the vendor respond to the next request with an error in its own format."""
        reply = self.sandbox.error_reply(status, message)
        self.fail("reply", status=status, body=reply.body, headers=reply.headers if headers is None else headers)

    def archive(self) -> None:
        self.sandbox.archive(self.sample.kind, self.sample.custom, True)

    def confidential(self) -> Iterator[str]:
        """The token, and every part of a record that must not appear in a message or a log."""
        yield TOKEN
        for number in range(1, 5):
            yield self.sample.match.format(n=number)
        for text in re.split(r"[\s,]+", " ".join(str(value) for value in self.sample.values.values())):
            if len(text) > 3:
                yield text

    def assert_reveals_nothing(self, text: str) -> None:
        for value in self.confidential():
            assert value.casefold() not in text.casefold(), f"{value!r} is in: {text}"

    def holds(self, record: dict[str, Any], text: str) -> bool:
        return json.dumps(text, ensure_ascii=False) in json.dumps(record, ensure_ascii=False)
