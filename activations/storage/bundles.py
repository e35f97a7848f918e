"""Changes that wait for delivery, packed two thousand to a bundle. Planning writes bundles, delivery unpacks them."""

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
from activations.storage import bulk, plain_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from activations.runs.lease import Lease

_COLUMNS = ["run_id", "epoch", "new", "known", "another", "keys", "data"]
SIZE = 2_000
BUNDLES_AT_A_TIME = 10
LISTED = 20_000
"""How many changes are listed one by one if they are never delivered. The others are only counted."""
_FIXED = {
    "state": Change.State.PENDING.value, "outcome": "", "attempts": 0, "field": "", "request_id": "",
    "sent": "[]", "created": False,
}  # fmt: skip


@dataclass(frozen=True)
class Counts:
    """The changes of new and of known records, and how many of the known ones are a different record now."""

    new: int
    known: int
    another: int


@dataclass(frozen=True)
class Packed:
    """The contents of a bundle. `keys` are its key digests, `data` its changes as a compressed Arrow file."""

    counts: Counts
    keys: bytes
    data: bytes


def write(run: Run, lease: Lease, frame: pl.DataFrame) -> None:
    """Packs changes, given as columns of their table, in their order."""
    for chunk in bulk.chunks(_packed(frame), BUNDLES_AT_A_TIME):
        rows = [
            (
                run.pk,
                lease.epoch,
                packed.counts.new,
                packed.counts.known,
                packed.counts.another,
                packed.keys,
                packed.data,
            )
            for packed in chunk
        ]
        with lease.fenced():
            bulk.insert_numbers_and_bytes(Bundle, _COLUMNS, rows)


def unpack_next(run: Run, lease: Lease) -> int:
    """Turns the next bundle into pending changes, in one commit, and returns their number; 0 if no bundle is left."""
    bundle = Bundle.objects.filter(run=run).order_by("pk").first()
    if bundle is None:
        return 0
    frame = _frame(bundle)
    with lease.fenced():
        _insert(bundle, frame)
        bundle.delete()
    return frame.height


def unpack_keys(run: Run, lease: Lease, keys: np.ndarray) -> None:
    """Turns the packed changes with these key digests into pending changes, and leaves the others packed."""
    if not len(keys):
        return
    keys = np.sort(keys)
    packed = Bundle.objects.filter(run=run).order_by("pk").values_list("pk", "keys")
    bundle_ids = [
        pk
        for pk, packed_keys in packed.iterator(chunk_size=BUNDLES_AT_A_TIME)
        if among(np.frombuffer(packed_keys, dtype=np.int64), keys).any()
    ]
    for bundle in chain.from_iterable(
        Bundle.objects.filter(pk__in=chunk).order_by("pk") for chunk in bulk.chunks(bundle_ids, BUNDLES_AT_A_TIME)
    ):
        frame = _frame(bundle)
        wanted = among(frame["key_digest"].to_numpy(), keys)
        with lease.fenced():
            _insert(bundle, frame.filter(wanted))
            _replace(bundle, frame.filter(~wanted))


def read(run: Run, columns: list[str] | None = None) -> Iterator[pl.DataFrame]:
    """The packed changes, one frame per bundle, in their order. They stay packed. `columns`: all if None."""
    for bundle in Bundle.objects.filter(run=run).order_by("pk").iterator(chunk_size=BUNDLES_AT_A_TIME):
        yield _frame(bundle, columns)


def counts(run: Run) -> Counts:
    """The number of packed changes."""
    sums = Bundle.objects.filter(run=run).aggregate(new=Sum("new"), known=Sum("known"), another=Sum("another"))
    return Counts(**{name: total or 0 for name, total in sums.items()})


def list_first(run: Run, lease: Lease) -> None:
    """Unpacks changes whose delivery may be far away, up to `LISTED`. The others stay packed."""
    listed = 0
    while listed < LISTED and (unpacked := unpack_next(run, lease)):
        listed += unpacked


def list_rest(run: Run, lease: Lease) -> int:
    """Unpacks changes that are never delivered, up to `LISTED`, deletes the others, and returns the number deleted."""
    list_first(run, lease)
    packed = counts(run)
    with lease.fenced():
        Bundle.objects.filter(run=run).delete()
    return packed.new + packed.known


def _packed(frame: pl.DataFrame) -> list[Packed]:
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    return [
        Packed(_counts(piece), piece["key_digest"].to_numpy().tobytes(), _bytes(table.slice(number * SIZE, SIZE)))
        for number, piece in enumerate(frame.iter_slices(SIZE))
    ]


def _frame(bundle: Bundle, columns: list[str] | None = None) -> pl.DataFrame:
    return pl.read_ipc(io.BytesIO(bundle.data), columns=columns)


def _replace(bundle: Bundle, frame: pl.DataFrame) -> None:
    if frame.is_empty():
        bundle.delete()
        return
    (packed,) = _packed(frame)
    Bundle.objects.filter(pk=bundle.pk).update(keys=packed.keys, data=packed.data, **asdict(packed.counts))


def _counts(frame: pl.DataFrame) -> Counts:
    new, another = int(frame["is_new"].sum()), int((frame["code"] == ANOTHER.code).sum())
    return Counts(new, frame.height - new, another)


def _bytes(table: pa.Table) -> bytes:
    buffer = pa.BufferOutputStream()
    with pa.ipc.new_file(
        buffer, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False)
    ) as file:
        file.write_table(table)
    return buffer.getvalue().to_pybytes()


def _insert(bundle: Bundle, frame: pl.DataFrame) -> None:
    fixed: Iterable[tuple[str, object]] = {"run_id": bundle.run_id, "epoch": bundle.epoch, **_FIXED}.items()
    plain = pl.Series([plain_names.of(name) for name in frame["name"]], dtype=pl.String)
    bulk.insert_frame(Change, frame.with_columns(plain_name=plain, **{name: pl.lit(value) for name, value in fixed}))
