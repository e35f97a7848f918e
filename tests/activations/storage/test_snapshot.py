"""The packed baseline, and a scan of the source against it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from activations.planning.source_scan import SourceScan
from activations.storage.snapshot import LEFT, NEVER_ACCEPTED, Baseline


def baseline(*rows: tuple[int, int, int, int]) -> Baseline:
    """(key digest, row digest, match digest, status) each."""
    keys, digests, matches, status = np.array(rows, dtype=np.int64).reshape(-1, 4).T.copy()
    return Baseline([keys, digests, matches, status.astype(np.uint8), np.arange(len(keys))])


def scan_rows(scan: SourceScan, *rows: tuple[int, int], full: bool = False) -> list[bool]:
    """Which of the rows, (key digest, row digest) each, must be compared."""
    keys, digests = np.array(rows, dtype=np.int64).reshape(-1, 2).T
    return scan.scan(keys.copy(), digests.copy(), full=full)[1].tolist()


def note_matches(scan: SourceScan, *rows: tuple[int, int, int]) -> None:
    """(place, key digest, match digest) each."""
    places, keys, digests = np.array(rows, dtype=np.int64).T
    scan.note_matches(places, keys, digests)


def test_rows_as_accepted_need_no_comparison() -> None:
    scan = SourceScan(baseline((1, 10, 100, 0), (2, 20, 200, 0)))
    assert scan_rows(scan, (1, 10), (2, 21), (3, 30)) == [False, True, True]
    assert scan.count_no_action("") == 1


def test_full_run_compares_every_row() -> None:
    assert scan_rows(SourceScan(baseline((1, 10, 100, 0))), (1, 10), full=True) == [True]


def test_rows_with_the_same_key_are_duplicates_even_across_batches() -> None:
    scan = SourceScan(baseline((1, 10, 100, 0)))
    scan_rows(scan, (1, 10), (5, 50))
    note_matches(scan, (-1, 5, 500))
    scan_rows(scan, (1, 10), (5, 51), (5, 52))
    note_matches(scan, (-1, 5, 501), (-1, 5, 502))
    assert scan.duplicates() == {1: 2, 5: 3}


def test_record_without_a_row_leaves_once() -> None:
    scan = SourceScan(baseline((1, 10, 100, 0), (2, 20, 200, LEFT), (3, 30, 300, NEVER_ACCEPTED), (4, 40, 400, 0)))
    scan_rows(scan, (4, 40))
    assert scan.left().tolist() == [1]


def test_record_that_left_and_has_a_row_has_returned() -> None:
    scan = SourceScan(baseline((2, 20, 200, LEFT)))
    scan_rows(scan, (2, 20))
    assert scan.returned().tolist() == [2]


def test_rows_that_share_any_match_value_are_one_group_of_twins() -> None:
    scan = SourceScan(baseline((1, 10, 100, 0), (2, 20, 200, 0), (3, 30, 300, 0), (4, 40, 0, 0)))
    scan_rows(scan, (1, 10), (2, 20), (3, 30), (4, 40))
    scan.note_further_matches(np.array([1, 3, 3, 4]), np.array([200, 200, 900, 300]))
    assert sorted(map(sorted, scan.twins([]).values())) == [[1, 2, 3]], (
        "4 has no first match value, so its further ones don't count"
    )
    assert scan.twins([2]).values(), "1 and 3 still share a match value"
    assert list(map(sorted, scan.twins([2]).values())) == [[1, 3]]
    assert scan.twins([2, 3]) == {}


def test_first_run_finds_twins_by_further_match_values() -> None:
    scan = SourceScan(baseline())
    scan_rows(scan, (1, 10), (2, 20))
    note_matches(scan, (-1, 1, 100), (-1, 2, 200))
    scan.note_further_matches(np.array([2]), np.array([100]))
    assert list(map(sorted, scan.twins([]).values())) == [[1, 2]]


def test_two_records_with_the_same_match_value_are_twins() -> None:
    scan = SourceScan(baseline((1, 10, 100, 0), (2, 20, 200, 0)))
    scan_rows(scan, (1, 10), (2, 21), (3, 30))
    note_matches(scan, (1, 2, 100), (-1, 3, 300))
    assert scan.twins([]) == {100: [1, 2]}


def test_leaver_blocks_no_row_and_two_rows_may_swap() -> None:
    scan = SourceScan(baseline((1, 10, 100, 0), (2, 20, 200, 0), (3, 30, 300, 0)))
    scan_rows(scan, (1, 11), (2, 21))
    note_matches(scan, (0, 1, 200), (1, 2, 300))
    assert scan.twins([]) == {}


def test_rows_without_a_key_are_counted_separately() -> None:
    scan = SourceScan(baseline())
    assert scan_rows(scan, (0, 10), (0, 11)) == [False, False]
    assert (scan.keyless, scan.rows, scan.duplicates()) == (2, 2, {})


KEYS = (
    st.integers(-50, 50)
    | st.integers(-(2**63), 2**63 - 1)
    | st.sampled_from([-(2**63), 2**63 - 1, 2**48, 2**48 - 1, -(2**48)])
)


@given(st.lists(KEYS, unique=True), st.lists(KEYS))
def test_every_key_is_found_at_its_place(known: list[int], requested: list[int]) -> None:
    packed = baseline(*((key, 1, 1, 0) for key in known))
    places = packed.find(np.array(requested, dtype=np.int64))
    assert [int(packed.keys[place]) if place >= 0 else None for place in places] == [
        key if key in known else None for key in requested
    ]
