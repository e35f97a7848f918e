"""What a check for drift compares, and what a run that restores sends: the values that are as they were accepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from activations.models import Drift, FieldMapping, Run
from activations.planning import verdicts
from destinations.contract import Mode

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from activations.planning.conversion.slots import Layout
    from activations.planning.mapping import Rows
    from activations.planning.verdicts import Known, Verdict

CHECKED = (FieldMapping.Policy.ALWAYS, FieldMapping.Policy.RESTORE)
"""With the other policies, the destination's value is not expected to be ours."""


@dataclass(frozen=True)
class Scope:
    """Which values of unchanged records are compared.

    Args:
        names: the attributes.
        keys: by attribute, the sorted key digests of the records; None stands for all records.
    """

    names: frozenset[str]
    keys: Mapping[str, np.ndarray] | None = None

    def rows(self, keys: np.ndarray) -> np.ndarray:
        """Which records have any value in it."""
        if self.keys is None:
            return keys != 0
        return np.isin(keys, np.concatenate([np.empty(0, dtype=np.int64), *self.keys.values()]))

    def mask(self, names: Collection[str], keys: np.ndarray) -> np.ndarray:
        """Which values are in it; shape (keys, names)."""
        columns = [self._holds(name, keys) for name in names]
        return np.column_stack(columns) if columns else np.zeros((len(keys), 0), dtype=bool)

    def _holds(self, name: str, keys: np.ndarray) -> np.ndarray:
        if name not in self.names:
            return np.zeros(len(keys), dtype=bool)
        if self.keys is None:
            return np.ones(len(keys), dtype=bool)
        return np.isin(keys, self.keys.get(name, np.empty(0, dtype=np.int64)))


def scope_of(run: Run) -> Scope | None:
    """What the run compares; None if it is neither a check for drift nor restores anything."""
    if run.kind == Run.Kind.DRIFT:
        return Scope(frozenset(field.target for field in run.mapped_fields if field.policy in CHECKED))
    if run.only_fields is None:
        return None
    keys: dict[str, np.ndarray] = {}
    for name in run.only_fields:
        found = Drift.objects.filter(restored_by=run, field=name).order_by().values_list("key_digest", flat=True)
        keys[name] = np.sort(np.fromiter(found.iterator(chunk_size=10_000), dtype=np.int64))
    return Scope(frozenset(run.only_fields), keys)


def unchanged(layout: Layout, rows: Rows, known: Known, keys: np.ndarray, scope: Scope) -> Verdict:
    """PURE. The rows whose values are all as they were accepted, each with the attributes in the scope."""
    verdict = verdicts.for_rows(layout, Mode.UPSERT, rows, known, full=False)
    places = [slot.number for slot in layout.slots]
    accepted = verdict.unchanged & known.accepted & (known.tried == "") & (known.remote_ids != "")
    _, current = rows.digests()
    held = (current != 0) & (current == known.digests[:, places]) & [not slot.is_match for slot in layout.slots]
    sends = held & accepted[:, None] & scope.mask([slot.field.name for slot in layout.slots], keys)
    nothing = np.zeros(len(keys), dtype=bool)
    return verdicts.Verdict(
        send=sends.any(axis=1),
        unchanged=nothing,
        settled={},
        other_record=nothing,
        is_new=nothing,
        again=nothing,
        sends=sends,
        changed=verdicts.names(layout, sends, nothing),
        remote_ids=known.remote_ids,
        match_digests=verdict.match_digests,
        digests=known.digests,
    )
