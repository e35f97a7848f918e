"""Records that a lookup found."""

from __future__ import annotations

from destinations.contract import Held, records


def test_plug_ins_for_earlier_versions_may_return_ids() -> None:
    assert records({"a": "r1", "b": Held("r2", {"name": "B"})}) == {"a": Held("r1"), "b": Held("r2", {"name": "B"})}
