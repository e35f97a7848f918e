"""How a scan finds match values that rows share."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np

from activations.planning import source_scan
from activations.planning.source_scan import SourceScan
from activations.storage.snapshot import Baseline


def scan_of(records: int) -> SourceScan:
    """A scan over all records but 5. Records 3, 5 and 7 share a match value."""
    numbers = np.arange(1, records + 1, dtype=np.int64)
    matches = numbers * -1000
    matches[[2, 4, 6]] = -1
    status = np.zeros(records, dtype=np.uint8)
    scan = SourceScan(Baseline([numbers.copy(), numbers.copy(), matches, status, np.arange(records, dtype=np.int32)]))
    scan.scan(np.delete(numbers, 4), np.delete(numbers, 4), full=False)
    return scan


def test_twins_do_not_depend_on_the_size_of_pieces() -> None:
    whole = scan_of(50).twins([])
    with patch.object(source_scan, "PIECE", 3):
        assert scan_of(50).twins([]) == whole == {-1: [3, 7]}


def test_match_value_of_a_single_row_makes_no_twins() -> None:
    assert scan_of(50).twins([3]) == {}
