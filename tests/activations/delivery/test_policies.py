"""What the write policies of its fields let a change write, without a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from activations.delivery.policies import NO_POLICIES, Difference, Policies, Reads, keep
from activations.delivery.steps import Item, Step, jobs, next_step
from activations.models import Change, FieldMapping, MappedField
from destinations.contract import Limits, Mode

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES = ("a", "b", "c", "d")
POLICIES = Policies(if_empty=frozenset("b"), on_create=frozenset("c"))
values = st.sampled_from([None, "ours", "theirs"])
kinds = st.sampled_from([policy.value for policy in FieldMapping.Policy])


def mapped(policies: Mapping[str, str]) -> list[MappedField]:
    return [
        MappedField(slot, name, name, None, "keep", policy=kind) for slot, (name, kind) in enumerate(policies.items())
    ]


def change(changed: str, values: str = "abcd", remote_id: str = "") -> Change:
    sent = dict.fromkeys(values, "ours")
    return Change(changed=list(changed), values=sent, remote_id=remote_id, lookup_first=False)


@given(
    policies=st.fixed_dictionaries(dict.fromkeys(NAMES, kinds)),
    held=st.fixed_dictionaries(dict.fromkeys(NAMES, values)),
)
def test_nothing_is_overwritten_against_its_policy(policies: dict[str, str], held: dict[str, str | None]) -> None:
    found = Policies.of(Mode.UPSERT, mapped(policies)).difference(
        NAMES, lambda name: held[name] == "ours", lambda name: held[name] is None
    )
    assert sorted((*found.send, *found.kept, *found.equal)) == sorted(NAMES)
    for name, kind in policies.items():
        if held[name] == "ours":
            assert name in found.equal
        elif kind == "on_create" or (kind == "if_empty" and held[name]):
            assert name in found.kept
        else:
            assert name in found.send


@given(policies=st.fixed_dictionaries(dict.fromkeys(NAMES, kinds)))
def test_what_was_not_read_is_left_alone(policies: dict[str, str]) -> None:
    found = Policies.of(Mode.UPDATE, mapped(policies)).unread(NAMES)
    assert set(found.kept) == {name for name, kind in policies.items() if kind in ("if_empty", "on_create")}
    assert set(found.send) == set(NAMES) - set(found.kept)


@given(policies=st.fixed_dictionaries(dict.fromkeys(NAMES, kinds)))
def test_insert_mode_knows_no_policies(policies: dict[str, str]) -> None:
    assert Policies.of(Mode.INSERT, mapped(policies)) == NO_POLICIES


def test_a_known_record_is_read_only_for_what_changed() -> None:
    assert POLICIES.need_read(change("ab", remote_id="r1"))
    assert not POLICIES.need_read(change("ac", remote_id="r1"))
    assert not POLICIES.need_read(change("a", remote_id="r1"))


def test_a_new_record_is_looked_up_only_if_a_policy_concerns_it() -> None:
    reads = Reads(policies=POLICIES)
    assert next_step(Mode.UPSERT, change("ac"), looked_up=False, reads=reads) == Step.FIND
    assert next_step(Mode.UPSERT, change("ad", values="ad"), looked_up=False, reads=reads) == Step.UPSERT
    assert next_step(Mode.UPSERT, change("ac"), looked_up=True, reads=reads) == Step.UPSERT


def test_what_is_written_only_with_new_records_needs_no_request_for_a_known_one() -> None:
    reads, known = Reads(policies=POLICIES), change("c", remote_id="r1")
    reads.hold_back(known)
    assert (known.changed, known.kept) == ([], ["c"])
    assert next_step(Mode.UPSERT, known, looked_up=False, reads=reads) == Step.NONE
    other = change("acd", remote_id="r1")
    reads.hold_back(other)
    assert (other.changed, other.kept) == (["a", "d"], ["c"])


def test_a_record_that_is_read_anyway_decides_by_what_it_holds() -> None:
    known = change("bc", remote_id="r1")
    Reads(policies=POLICIES).hold_back(known)
    assert (known.changed, known.kept) == (["b", "c"], None)


def test_changes_without_a_request_share_a_job() -> None:
    items = [Item(change("c", remote_id=f"r{n}")) for n in range(1200)]
    for item in items:
        Reads(policies=POLICIES).hold_back(item.change)
    made = jobs(Mode.UPSERT, items, Limits(1, 1), Reads(policies=POLICIES))
    assert [(job.step, len(job.items)) for job in made] == [(Step.NONE, 500), (Step.NONE, 500), (Step.NONE, 200)]
    assert not any(job.can_grow(Limits(1, 1, write_batch=1000)) for job in made)


def test_what_was_kept_before_stays_noted() -> None:
    one = change("")
    keep(one, ["b"])
    keep(one, ["c", "b"])
    assert one.kept == ["b", "c"]
    keep(one, [])
    assert one.kept == ["b", "c"]
    assert Difference() == NO_POLICIES.difference((), bool, bool)
