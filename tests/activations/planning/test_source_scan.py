"""What one pass over the source saw."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np

from activations.planning import source_scan
from activations.planning.source_scan import Seen
from activations.storage.snapshot import Baseline


def of(records: int) -> Seen:
    """A baseline whose records 3 and 7 share a match, met once each; record 5 shares it too and was not met."""
    numbers = np.arange(1, records + 1, dtype=np.int64)
    matches = numbers * -1000
    matches[[2, 4, 6]] = -1
    none = np.zeros(records, dtype=np.uint8)
    made = Seen(Baseline([numbers.copy(), numbers.copy(), matches, none, np.arange(records, dtype=np.int32)]))
    made.look(np.delete(numbers, 4), np.delete(numbers, 4), full=False)
    return made


def test_twins_are_the_same_however_many_records_are_looked_at_at_once() -> None:
    whole = of(50).twins([])
    with patch.object(source_scan, "AT_ONCE", 3):
        assert of(50).twins([]) == whole == {-1: [3, 7]}


def test_a_match_that_one_row_alone_has_makes_no_twins() -> None:
    assert of(50).twins([3]) == {}
