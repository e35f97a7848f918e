"""Behavior that all services of Attio share. Every registered service is tested."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import requests

from core.errors import Misconfigured, Problem, Rejected, Unavailable
from destinations.contract import Field, Mode, Operation, Outcome, Purpose, Result, Verb
from destinations.sandbox.wire import Fault
from destinations.services.attio import SERVICES
from tests.destinations.attio.conftest import TOKEN, CountingGate, sent
from tests.destinations.lookups import ids

if TYPE_CHECKING:
    from destinations.services.attio.client import Client
    from destinations.services.attio.records import Records
    from destinations.services.attio.sandbox.server import AttioSandbox

Api = Callable[..., requests.Response]


@dataclass(frozen=True)
class Sample:
    """Source values for one object: match values of three records, a text, a list, and a value that Attio rejects."""

    matches: tuple[str, str, str]
    text: str
    values: tuple[str, str]
    list: str
    items: tuple[Any, Any]
    invalid: Any


SAMPLES = {
    "attio.companies": Sample(
        ("https://www.Acme.com/", "beta.com", "gamma.com"),
        "name",
        ("Acme", "Acme Ltd"),
        "categories",
        ("SAAS", "B2B"),
        ["Unheard of"],
    ),
    "attio.people": Sample(
        ("Ada@Acme.com", "bob@beta.com", "eve@gamma.com"),
        "job_title",
        ("Analyst", "Countess"),
        "phone_numbers",
        ("+33 1 42 68 53 00", "+44 20 7946 0958"),
        ["+33 1"],
    ),
}


@dataclass
class Case:
    """One service with its simulator, and the wire values of its sample."""

    service: Records
    client: Client
    sandbox: AttioSandbox
    gate: CountingGate
    fields: dict[str, Field]
    sample: Sample

    @property
    def match(self) -> Field:
        return self.fields[self.service.default_match]

    @property
    def stored(self) -> list[dict[str, Any]]:
        return list(self.sandbox.state()["records" if self.service.object == "companies" else self.service.object])

    @property
    def text(self) -> str:
        return self.sample.text

    def key(self, number: int) -> Any:
        return self.service.convert(self.match, self.sample.matches[number])

    def listed(self, *items: Any) -> Any:
        return self.service.convert(self.fields[self.sample.list], list(items))

    def write(
        self, verb: Verb, number: int, values: dict[str, Any], *, changed: str = "", add: str = "", remote_id: str = ""
    ) -> Outcome:
        operation = Operation(
            verb,
            self.match.name,
            self.key(number),
            values,
            frozenset(changed.split()),
            frozenset(add.split()),
            remote_id,
        )
        return self.service.write(self.client, operation)

    def upsert(self, number: int, text: str = "First") -> Outcome:
        return self.write(Verb.UPSERT, number, {self.text: text})


@pytest.fixture(params=SERVICES, ids=lambda service: service.slug)
def case(request: pytest.FixtureRequest, client: Client, sandbox: AttioSandbox, gate: CountingGate) -> Iterator[Case]:
    service = request.param
    fields = {field.name: field for field in service.fields(client)}
    sandbox.log.clear()
    gate.passed.clear()
    yield Case(service, client, sandbox, gate, fields, SAMPLES[service.slug])
    for entry in sandbox.log:
        assert None not in (entry["body"] or {}).get("data", {}).get("values", {}).values()


def test_default_match_is_the_only_matchable_field_and_all_modes_are_supported(case: Case) -> None:
    assert [name for name, field in case.fields.items() if field.matchable] == [case.service.default_match]
    assert case.service.modes == (Mode.UPSERT, Mode.UPDATE, Mode.INSERT)
    assert case.service.default_mode is Mode.UPSERT
    assert case.service.notes
    assert all(note.endswith(".") for note in case.service.notes)


def test_spellings_of_a_match_value_share_one_identity(case: Case) -> None:
    spelling = case.sample.matches[0]
    texts = (spelling, spelling.upper(), f" {spelling} ", f"{spelling}, {case.sample.matches[1]}")
    assert len({case.service.identity(case.match, case.service.convert(case.match, text)) for text in texts}) == 1


def test_upserting_twice_sends_one_put_each_and_keeps_one_record(case: Case) -> None:
    first, second = case.upsert(0), case.upsert(0, "Second")
    assert first.remote_id == second.remote_id
    assert [method for method, _ in sent(case.sandbox)] == ["PUT", "PUT"]
    assert [entry["values"][case.text] for entry in case.stored] == ["Second"]


def test_invalid_record_is_not_stored_and_does_not_affect_others(case: Case) -> None:
    case.upsert(0)
    with pytest.raises(Rejected) as rejection:
        case.write(Verb.UPSERT, 1, {case.text: "Second", case.sample.list: case.sample.invalid})
    case.upsert(2)
    assert len(case.stored) == 2
    assert rejection.value.request_id
    assert str(case.sample.invalid[0]) not in rejection.value.message + rejection.value.detail


def test_update_by_id_sends_only_changed_values(case: Case) -> None:
    known = case.upsert(0)
    case.sandbox.log.clear()
    values = {case.text: "Second", case.sample.list: case.listed(case.sample.items[0])}
    outcome = case.write(Verb.UPDATE, 0, values, changed=case.text, remote_id=known.remote_id)
    assert sent(case.sandbox) == [("PUT", {case.text: "Second"})]
    assert outcome.remote_id == known.remote_id


def test_list_is_replaced_or_added_to(case: Case) -> None:
    first, second = (case.listed(item) for item in case.sample.items)
    known = case.write(Verb.UPSERT, 0, {case.sample.list: first})
    case.write(Verb.UPSERT, 0, {case.sample.list: second}, add=case.sample.list)
    assert len(case.stored[0]["values"][case.sample.list]) == 2
    case.write(Verb.UPDATE, 0, {case.sample.list: first}, changed=case.sample.list, remote_id=known.remote_id)
    assert len(case.stored[0]["values"][case.sample.list]) == 1


def test_new_match_value_is_added_and_the_old_one_stays(case: Case) -> None:
    known = case.upsert(0)
    case.write(Verb.UPDATE, 1, {}, changed=case.match.name, remote_id=known.remote_id)
    assert sent(case.sandbox)[-1] == ("PATCH", {case.match.name: case.key(1)})
    assert len(case.stored[0]["values"][case.match.name]) == 2


@pytest.mark.parametrize("names_attribute", ["slug", "id"])
def test_match_value_conflict_names_the_other_record(
    case: Case, switch: Callable[..., None], names_attribute: str
) -> None:
    switch(conflict_names_attribute=names_attribute)
    known, other = case.upsert(0), case.upsert(1)
    with pytest.raises(Rejected) as rejection:
        case.write(Verb.UPDATE, 1, {}, changed=case.match.name, remote_id=known.remote_id)
    assert (rejection.value.code, rejection.value.field) == ("uniqueness_conflict", case.match.name)
    assert other.remote_id in rejection.value.message
    assert case.key(1)[0] not in rejection.value.message


def test_insert_posts_new_records_and_leaves_existing_ones_alone(case: Case) -> None:
    created = case.write(Verb.CREATE, 0, {case.text: "First", case.sample.list: []})
    again = case.write(Verb.CREATE, 0, {case.text: "Second"})
    assert (again.result, again.remote_id) == (Result.EXISTS, created.remote_id)
    assert [entry["values"][case.text] for entry in case.stored] == ["First"]
    assert sent(case.sandbox)[0] == ("POST", {case.match.name: case.key(0), case.text: "First"})


def test_one_query_looks_up_many_records(case: Case) -> None:
    known = [case.upsert(number).remote_id for number in (0, 1)]
    case.gate.passed.clear()
    identities = [case.service.identity(case.match, case.key(number)) for number in range(3)]
    assert ids(case.service.find(case.client, case.match, identities)) == dict(zip(identities, known, strict=False))
    assert case.gate.passed == [Purpose.LOOKUP]
    assert len(identities) < case.service.limits.find_batch


def test_deleted_record_is_gone(case: Case, api: Api) -> None:
    known = case.upsert(0)
    api("DELETE", f"/objects/{case.service.object}/records/{known.remote_id}")
    assert (
        case.write(Verb.UPDATE, 0, {case.text: "Second"}, changed=case.text, remote_id=known.remote_id).result
        is Result.GONE
    )


def answer(code: str, message: str = "No.") -> dict[str, Any]:
    return {"status_code": 0, "type": "invalid_request_error", "code": code, "message": message}


@pytest.mark.parametrize("verb", list(Verb))
@pytest.mark.parametrize(
    ("fault", "kind", "ambiguous"),
    [
        (Fault("reply", status=401, body=answer("unauthorized")), Misconfigured, False),
        (Fault("reply", status=403, body=answer("unauthorized")), Misconfigured, False),
        (
            Fault("reply", status=404, body=answer("not_found", 'Object with slug/ID "x" not found.')),
            Misconfigured,
            False,
        ),
        (Fault("reply", status=409, body=answer("concurrent_write_conflict")), Unavailable, False),
        (Fault("reply", status=404, body=answer("merge_in_progress")), Unavailable, False),
        (Fault("reply", status=422, body=answer("unheard_of")), Rejected, False),
        (
            Fault("reply", status=429, body=answer("rate_limit_exceeded"), headers={"Retry-After": "3"}),
            Unavailable,
            False,
        ),
        (Fault("reply", status=429, body=""), Unavailable, False),
        (Fault("reply", status=500, body=answer("internal")), Unavailable, True),
        (Fault("reply", status=503, body="<html>Busy</html>"), Unavailable, True),
        (Fault("reply", status=200, body="<html>Welcome</html>"), Unavailable, True),
        (Fault("reply", status=200, body=""), Unavailable, True),
        (Fault("cut"), Unavailable, True),
        (Fault("cut_after"), Unavailable, True),
    ],
)
def test_failures_have_the_same_kind_for_every_object_and_reveal_nothing(
    case: Case, verb: Verb, fault: Fault, kind: type[Problem], ambiguous: bool
) -> None:
    case.sandbox.faults.append(Fault(fault.action, status=fault.status, body=fault.body, headers=fault.headers))
    with pytest.raises(Problem) as found:
        case.write(
            verb, 0, {case.text: "Hush hush"}, changed=case.text, remote_id="0f1e2d3c-4b5a-4978-8877-665544332211"
        )
    assert type(found.value) is kind
    assert getattr(found.value, "ambiguous", False) is ambiguous
    shown = f"{found.value.message} {found.value.detail} {found.value.code}"
    assert not any(secret in shown for secret in (TOKEN, "Hush", case.key(0)[0]))


def test_repeating_an_upsert_after_a_lost_answer_creates_no_second_record(case: Case) -> None:
    case.sandbox.faults.append(Fault("cut_after"))
    with pytest.raises(Unavailable):
        case.upsert(0)
    assert case.upsert(0).remote_id == case.stored[0]["id"]
    assert len(case.stored) == 1


def test_attribute_archived_during_a_run_stops_it_and_is_named(case: Case) -> None:
    schema = case.sandbox.workspace.stores[case.service.object].schema
    schema.attributes[case.text].archived = True
    with pytest.raises(Misconfigured) as problem:
        case.upsert(0)
    assert (problem.value.code, problem.value.where) == ("attribute_missing", case.text)


def test_unicode_arrives_unchanged(case: Case) -> None:
    case.upsert(0, "Zażółć 🚀 例え")
    assert case.stored[0]["values"][case.text] == "Zażółć 🚀 例え"
