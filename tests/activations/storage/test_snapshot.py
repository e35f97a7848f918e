"""The packed baseline, and what a pass over the source sees."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from activations.planning.source_scan import Seen
from activations.storage.snapshot import LEFT, NEVER_ACCEPTED, Baseline


def baseline(*rows: tuple[int, int, int, int]) -> Baseline:
    """(key digest, row digest, match digest, status) each."""
    keys, digests, matches, status = np.array(rows, dtype=np.int64).reshape(-1, 4).T.copy()
    return Baseline([keys, digests, matches, status.astype(np.uint8), np.arange(len(keys))])


def look(seen: Seen, *rows: tuple[int, int], full: bool = False) -> list[bool]:
    keys, digests = np.array(rows, dtype=np.int64).reshape(-1, 2).T
    return seen.look(keys.copy(), digests.copy(), full=full)[1].tolist()


def match(seen: Seen, *rows: tuple[int, int, int]) -> None:
    """(place, key digest, match digest) each."""
    places, keys, digests = np.array(rows, dtype=np.int64).T
    seen.match(places, keys, digests)


def test_rows_that_are_as_accepted_need_no_second_look() -> None:
    seen = Seen(baseline((1, 10, 100, 0), (2, 20, 200, 0)))
    assert look(seen, (1, 10), (2, 21), (3, 30)) == [False, True, True]
    assert seen.still("") == 1


def test_a_full_run_looks_at_every_row() -> None:
    assert look(Seen(baseline((1, 10, 100, 0))), (1, 10), full=True) == [True]


def test_rows_of_one_key_are_duplicates_known_or_new_also_across_batches() -> None:
    seen = Seen(baseline((1, 10, 100, 0)))
    look(seen, (1, 10), (5, 50))
    match(seen, (-1, 5, 500))
    look(seen, (1, 10), (5, 51), (5, 52))
    match(seen, (-1, 5, 501), (-1, 5, 502))
    assert seen.duplicates() == {1: 2, 5: 3}


def test_who_is_not_seen_has_left_once() -> None:
    seen = Seen(baseline((1, 10, 100, 0), (2, 20, 200, LEFT), (3, 30, 300, NEVER_ACCEPTED), (4, 40, 400, 0)))
    look(seen, (4, 40))
    assert seen.left().tolist() == [1]


def test_who_had_left_and_is_seen_is_back() -> None:
    seen = Seen(baseline((2, 20, 200, LEFT)))
    look(seen, (2, 20))
    assert seen.returned().tolist() == [2]


def test_whoever_shares_any_match_value_is_a_twin_in_one_group() -> None:
    seen = Seen(baseline((1, 10, 100, 0), (2, 20, 200, 0), (3, 30, 300, 0), (4, 40, 0, 0)))
    look(seen, (1, 10), (2, 20), (3, 30), (4, 40))
    seen.also(np.array([1, 3, 3, 4]), np.array([200, 200, 900, 300]))
    assert sorted(map(sorted, seen.twins([]).values())) == [[1, 2, 3]], (
        "4 has no first match, so its others don't count"
    )
    assert seen.twins([2]).values(), "1 and 3 still share one"
    assert list(map(sorted, seen.twins([2]).values())) == [[1, 3]]
    assert seen.twins([2, 3]) == {}


def test_a_first_run_sees_whom_a_further_match_value_joins() -> None:
    seen = Seen(baseline())
    look(seen, (1, 10), (2, 20))
    match(seen, (-1, 1, 100), (-1, 2, 200))
    seen.also(np.array([2]), np.array([100]))
    assert list(map(sorted, seen.twins([]).values())) == [[1, 2]]


def test_two_seen_records_with_one_match_value_are_twins() -> None:
    seen = Seen(baseline((1, 10, 100, 0), (2, 20, 200, 0)))
    look(seen, (1, 10), (2, 21), (3, 30))
    match(seen, (1, 2, 100), (-1, 3, 300))
    assert seen.twins([]) == {100: [1, 2]}


def test_a_leaver_blocks_nobody_and_two_rows_may_swap() -> None:
    seen = Seen(baseline((1, 10, 100, 0), (2, 20, 200, 0), (3, 30, 300, 0)))
    look(seen, (1, 11), (2, 21))
    match(seen, (0, 1, 200), (1, 2, 300))
    assert seen.twins([]) == {}


def test_rows_without_a_key_are_counted_apart() -> None:
    seen = Seen(baseline())
    assert look(seen, (0, 10), (0, 11)) == [False, False]
    assert (seen.keyless, seen.rows, seen.duplicates()) == (2, 2, {})


KEYS = (
    st.integers(-50, 50)
    | st.integers(-(2**63), 2**63 - 1)
    | st.sampled_from([-(2**63), 2**63 - 1, 2**48, 2**48 - 1, -(2**48)])
)


@given(st.lists(KEYS, unique=True), st.lists(KEYS))
def test_every_key_is_found_where_it_is(known: list[int], asked: list[int]) -> None:
    made = baseline(*((key, 1, 1, 0) for key in known))
    places = made.find(np.array(asked, dtype=np.int64))
    assert [int(made.keys[place]) if place >= 0 else None for place in places] == [
        key if key in known else None for key in asked
    ]
