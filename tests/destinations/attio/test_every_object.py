"""What every service of Attio does alike, on whatever object: each is tested by being registered."""

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

if TYPE_CHECKING:
    from destinations.services.attio.client import Client
    from destinations.services.attio.records import Records
    from destinations.services.attio.sandbox.server import AttioSandbox

Api = Callable[..., requests.Response]


@dataclass(frozen=True)
class Sample:
    """Source values for one object: match values of three records, a text, a list, and a value that Attio refuses."""

    matches: tuple[str, str, str]
    text: str
    values: tuple[str, str]
    list: str
    items: tuple[Any, Any]
    refused: Any


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
class Desk:
    """One service with the simulator behind it, and the values of its sample as they go out."""

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
def desk(request: pytest.FixtureRequest, client: Client, sandbox: AttioSandbox, gate: CountingGate) -> Iterator[Desk]:
    service = request.param
    fields = {field.name: field for field in service.fields(client)}
    sandbox.log.clear()
    gate.passed.clear()
    yield Desk(service, client, sandbox, gate, fields, SAMPLES[service.slug])
    for entry in sandbox.log:
        assert None not in (entry["body"] or {}).get("data", {}).get("values", {}).values()


def test_the_proposed_match_is_the_one_that_fits_and_all_modes_are_there(desk: Desk) -> None:
    assert [name for name, field in desk.fields.items() if field.matchable] == [desk.service.default_match]
    assert desk.service.modes == (Mode.UPSERT, Mode.UPDATE, Mode.INSERT)
    assert desk.service.default_mode is Mode.UPSERT
    assert desk.service.notes
    assert all(note.endswith(".") for note in desk.service.notes)


def test_two_spellings_of_a_match_are_one_identity(desk: Desk) -> None:
    spelled = desk.sample.matches[0]
    texts = (spelled, spelled.upper(), f" {spelled} ", f"{spelled}, {desk.sample.matches[1]}")
    assert len({desk.service.identity(desk.match, desk.service.convert(desk.match, text)) for text in texts}) == 1


def test_upsert_twice_is_one_record_by_one_put_each(desk: Desk) -> None:
    first, second = desk.upsert(0), desk.upsert(0, "Second")
    assert first.remote_id == second.remote_id
    assert [method for method, _ in sent(desk.sandbox)] == ["PUT", "PUT"]
    assert [entry["values"][desk.text] for entry in desk.stored] == ["Second"]


def test_one_bad_record_spares_the_rest_and_stores_nothing(desk: Desk) -> None:
    desk.upsert(0)
    with pytest.raises(Rejected) as refusal:
        desk.write(Verb.UPSERT, 1, {desk.text: "Second", desk.sample.list: desk.sample.refused})
    desk.upsert(2)
    assert len(desk.stored) == 2
    assert refusal.value.request_id
    assert str(desk.sample.refused[0]) not in refusal.value.message + refusal.value.detail


def test_an_update_sends_what_changed_by_id_and_never_the_match(desk: Desk) -> None:
    known = desk.upsert(0)
    desk.sandbox.log.clear()
    values = {desk.text: "Second", desk.sample.list: desk.listed(desk.sample.items[0])}
    outcome = desk.write(Verb.UPDATE, 0, values, changed=desk.text, remote_id=known.remote_id)
    assert sent(desk.sandbox) == [("PUT", {desk.text: "Second"})]
    assert outcome.remote_id == known.remote_id


def test_a_list_is_replaced_or_added_to(desk: Desk) -> None:
    first, second = (desk.listed(item) for item in desk.sample.items)
    known = desk.write(Verb.UPSERT, 0, {desk.sample.list: first})
    desk.write(Verb.UPSERT, 0, {desk.sample.list: second}, add=desk.sample.list)
    assert len(desk.stored[0]["values"][desk.sample.list]) == 2
    desk.write(Verb.UPDATE, 0, {desk.sample.list: first}, changed=desk.sample.list, remote_id=known.remote_id)
    assert len(desk.stored[0]["values"][desk.sample.list]) == 1


def test_a_new_match_value_is_added_and_the_old_one_stays(desk: Desk) -> None:
    known = desk.upsert(0)
    desk.write(Verb.UPDATE, 1, {}, changed=desk.match.name, remote_id=known.remote_id)
    assert sent(desk.sandbox)[-1] == ("PATCH", {desk.match.name: desk.key(1)})
    assert len(desk.stored[0]["values"][desk.match.name]) == 2


@pytest.mark.parametrize("names_attribute", ["slug", "id"])
def test_a_match_value_of_another_record_names_that_record(
    desk: Desk, switch: Callable[..., None], names_attribute: str
) -> None:
    switch(conflict_names_attribute=names_attribute)
    known, other = desk.upsert(0), desk.upsert(1)
    with pytest.raises(Rejected) as refusal:
        desk.write(Verb.UPDATE, 1, {}, changed=desk.match.name, remote_id=known.remote_id)
    assert (refusal.value.code, refusal.value.field) == ("uniqueness_conflict", desk.match.name)
    assert other.remote_id in refusal.value.message
    assert desk.key(1)[0] not in refusal.value.message


def test_insert_creates_by_post_and_leaves_alone_what_is_there(desk: Desk) -> None:
    made = desk.write(Verb.CREATE, 0, {desk.text: "First", desk.sample.list: []})
    again = desk.write(Verb.CREATE, 0, {desk.text: "Second"})
    assert (again.result, again.remote_id) == (Result.EXISTS, made.remote_id)
    assert [entry["values"][desk.text] for entry in desk.stored] == ["First"]
    assert sent(desk.sandbox)[0] == ("POST", {desk.match.name: desk.key(0), desk.text: "First"})


def test_many_are_looked_up_by_one_query(desk: Desk) -> None:
    known = [desk.upsert(number).remote_id for number in (0, 1)]
    desk.gate.passed.clear()
    identities = [desk.service.identity(desk.match, desk.key(number)) for number in range(3)]
    assert desk.service.find(desk.client, desk.match, identities) == dict(zip(identities, known, strict=False))
    assert desk.gate.passed == [Purpose.LOOKUP]
    assert len(identities) < desk.service.limits.find_batch


def test_a_deleted_record_is_gone(desk: Desk, api: Api) -> None:
    known = desk.upsert(0)
    api("DELETE", f"/objects/{desk.service.object}/records/{known.remote_id}")
    assert (
        desk.write(Verb.UPDATE, 0, {desk.text: "Second"}, changed=desk.text, remote_id=known.remote_id).result
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
        (Fault("reply", status=404, body=answer("not_found", 'Object with slug/ID "x" not found.')), Misconfigured, False),
        (Fault("reply", status=409, body=answer("concurrent_write_conflict")), Unavailable, False),
        (Fault("reply", status=404, body=answer("merge_in_progress")), Unavailable, False),
        (Fault("reply", status=422, body=answer("unheard_of")), Rejected, False),
        (Fault("reply", status=429, body=answer("rate_limit_exceeded"), headers={"Retry-After": "3"}), Unavailable, False),
        (Fault("reply", status=429, body=""), Unavailable, False),
        (Fault("reply", status=500, body=answer("internal")), Unavailable, True),
        (Fault("reply", status=503, body="<html>Busy</html>"), Unavailable, True),
        (Fault("reply", status=200, body="<html>Welcome</html>"), Unavailable, True),
        (Fault("reply", status=200, body=""), Unavailable, True),
        (Fault("cut"), Unavailable, True),
        (Fault("cut_after"), Unavailable, True),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_classed_alike_and_tells_nothing(
    desk: Desk, verb: Verb, fault: Fault, kind: type[Problem], ambiguous: bool
) -> None:
    desk.sandbox.faults.append(Fault(fault.action, status=fault.status, body=fault.body, headers=fault.headers))
    with pytest.raises(Problem) as found:
        desk.write(
            verb, 0, {desk.text: "Hush hush"}, changed=desk.text, remote_id="0f1e2d3c-4b5a-4978-8877-665544332211"
        )
    assert type(found.value) is kind
    assert getattr(found.value, "ambiguous", False) is ambiguous
    told = f"{found.value.message} {found.value.detail} {found.value.code}"
    assert not any(secret in told for secret in (TOKEN, "Hush", desk.key(0)[0]))


def test_an_upsert_whose_answer_was_lost_is_repeated_without_a_second_record(desk: Desk) -> None:
    desk.sandbox.faults.append(Fault("cut_after"))
    with pytest.raises(Unavailable):
        desk.upsert(0)
    assert desk.upsert(0).remote_id == desk.stored[0]["id"]
    assert len(desk.stored) == 1


def test_an_attribute_archived_in_mid_run_stops_it_by_name(desk: Desk) -> None:
    schema = desk.sandbox.workspace.stores[desk.service.object].schema
    schema.attributes[desk.text].archived = True
    with pytest.raises(Misconfigured) as problem:
        desk.upsert(0)
    assert (problem.value.code, problem.value.where) == ("attribute_missing", desk.text)


def test_unicode_arrives_as_it_was_sent(desk: Desk) -> None:
    desk.upsert(0, "Zażółć 🚀 例え")
    assert desk.stored[0]["values"][desk.text] == "Zażółć 🚀 例え"
