"""Changes that wait for delivery, packed by the thousands: planning writes them at once, delivering unpacks one bundle after another."""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.ipc
from django.db.models import Sum

from activations.digests import among
from activations.models import Bundle, Change, Run
from activations.reasons import ANOTHER
from activations.storage import bulk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from activations.runs.lease import Lease

_COLUMNS = ["run_id", "epoch", "new", "known", "another", "keys", "data"]
SIZE = 2_000
TOGETHER = 10
LISTED = 20_000
"""How many of the changes that are never delivered are listed one by one; the others are counted."""
_FIXED = {
    "state": Change.State.PENDING.value, "outcome": "", "attempts": 0, "field": "", "request_id": "",
    "sent": "[]", "created": False,
}  # fmt: skip


@dataclass(frozen=True)
class Counts:
    """Changes of new and of known records; and how many of the known ones are another record at the destination now."""

    new: int
    known: int
    another: int


@dataclass(frozen=True)
class Packed:
    """A bundle on its way into the database; `keys` are its key digests."""

    counts: Counts
    keys: bytes
    data: bytes


def write(run: Run, lease: Lease, frame: pl.DataFrame) -> None:
    """Packs changes, given as columns of their table, in the order of their rows."""
    for some in bulk.chunks(_packed(frame), TOGETHER):
        rows = [
            (run.pk, lease.epoch, one.counts.new, one.counts.known, one.counts.another, one.keys, one.data)
            for one in some
        ]
        with lease.fenced():
            bulk.insert_numbers_and_bytes(Bundle, _COLUMNS, rows)


def unpack_next(run: Run, lease: Lease) -> int:
    """Makes the next bundle pending changes, in one commit; how many, 0 where there is no bundle."""
    bundle = Bundle.objects.filter(run=run).order_by("pk").first()
    if bundle is None:
        return 0
    frame = _frame(bundle)
    with lease.fenced():
        _insert(bundle, frame)
        bundle.delete()
    return frame.height


def draw_out(run: Run, lease: Lease, keys: np.ndarray) -> None:
    """Makes pending changes of those with these key digests, wherever they are packed."""
    if not len(keys):
        return
    keys = np.sort(keys)
    packed = Bundle.objects.filter(run=run).order_by("pk").values_list("pk", "keys")
    found = [
        pk
        for pk, held in packed.iterator(chunk_size=TOGETHER)
        if among(np.frombuffer(held, dtype=np.int64), keys).any()
    ]
    for bundle in chain.from_iterable(
        Bundle.objects.filter(pk__in=some).order_by("pk") for some in bulk.chunks(found, TOGETHER)
    ):
        frame = _frame(bundle)
        wanted = among(frame["key_digest"].to_numpy(), keys)
        with lease.fenced():
            _insert(bundle, frame.filter(wanted))
            _replace(bundle, frame.filter(~wanted))


def read(run: Run) -> Iterator[pl.DataFrame]:
    """What is packed, in pieces, in its order; it stays packed."""
    for bundle in Bundle.objects.filter(run=run).order_by("pk").iterator(chunk_size=TOGETHER):
        yield _frame(bundle)


def counts(run: Run) -> Counts:
    """How many changes are packed."""
    sums = Bundle.objects.filter(run=run).aggregate(new=Sum("new"), known=Sum("known"), another=Sum("another"))
    return Counts(**{name: total or 0 for name, total in sums.items()})


def list_rest(run: Run, lease: Lease) -> int:
    """Unpacks what will not be delivered, as far as it is listed, and drops the rest; how many those were."""
    listed = 0
    while listed < LISTED and (unpacked := unpack_next(run, lease)):
        listed += unpacked
    packed = counts(run)
    with lease.fenced():
        Bundle.objects.filter(run=run).delete()
    return packed.new + packed.known


def _packed(frame: pl.DataFrame) -> list[Packed]:
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    pieces = enumerate(frame.iter_slices(SIZE))
    return [
        Packed(_counted(one), one["key_digest"].to_numpy().tobytes(), _bytes(table.slice(place * SIZE, SIZE)))
        for place, one in pieces
    ]


def _frame(bundle: Bundle) -> pl.DataFrame:
    return pl.read_ipc(io.BytesIO(bundle.data))


def _replace(bundle: Bundle, frame: pl.DataFrame) -> None:
    if frame.is_empty():
        bundle.delete()
        return
    (rest,) = _packed(frame)
    Bundle.objects.filter(pk=bundle.pk).update(keys=rest.keys, data=rest.data, **asdict(rest.counts))


def _counted(frame: pl.DataFrame) -> Counts:
    new, another = int(frame["is_new"].sum()), int((frame["code"] == ANOTHER.code).sum())
    return Counts(new, frame.height - new, another)


def _bytes(table: pa.Table) -> bytes:
    out = pa.BufferOutputStream()
    with pa.ipc.new_file(
        out, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False)
    ) as file:
        file.write_table(table)
    return out.getvalue().to_pybytes()


def _insert(bundle: Bundle, frame: pl.DataFrame) -> None:
    fixed: Iterable[tuple[str, object]] = {"run_id": bundle.run_id, "epoch": bundle.epoch, **_FIXED}.items()
    bulk.insert_frame(Change, frame.with_columns(**{name: pl.lit(value) for name, value in fixed}))
