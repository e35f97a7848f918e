"""Changes that wait for delivery, packed by the thousand: planning writes them at once, delivering unpacks one bundle after another."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np
import polars as pl
from django.db.models import Sum

from activations import bulk
from activations.decide import ANOTHER
from activations.lease import Lease
from activations.models import Bundle, Change, Run

SIZE = 1_000
TOGETHER = 20
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


def write(run: Run, lease: Lease, frame: pl.DataFrame) -> None:
    """Packs changes, given as columns of their table, in the order of their rows."""
    for some in bulk.chunks(list(frame.iter_slices(SIZE)), TOGETHER):
        with lease.fenced():
            Bundle.objects.bulk_create([_packed(run, lease.epoch, piece) for piece in some])


def unpack_next(run: Run, lease: Lease) -> int:
    """Makes the next bundle pending changes, in one commit; how many, 0 where there is no bundle."""
    bundle = Bundle.objects.filter(run=run).order_by("pk").first()
    if bundle is None:
        return 0
    frame = pl.read_ipc(io.BytesIO(bundle.data))
    with lease.fenced():
        _insert(bundle, frame)
        bundle.delete()
    return frame.height


def draw_out(run: Run, lease: Lease, keys: np.ndarray) -> None:
    """Makes pending changes of those with these key digests, wherever they are packed."""
    if not len(keys):
        return
    for bundle in Bundle.objects.filter(run=run).order_by("pk").iterator(chunk_size=TOGETHER):
        frame = pl.read_ipc(io.BytesIO(bundle.data))
        wanted = np.isin(frame["key_digest"].to_numpy(), keys)
        if wanted.any():
            with lease.fenced():
                _insert(bundle, frame.filter(wanted))
                _replace(bundle, frame.filter(~wanted))


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


def _packed(run: Run, epoch: int, frame: pl.DataFrame) -> Bundle:
    return Bundle(run=run, epoch=epoch, data=_bytes(frame), **asdict(_counted(frame)))


def _replace(bundle: Bundle, frame: pl.DataFrame) -> None:
    rest = {"data": _bytes(frame), **asdict(_counted(frame))}
    Bundle.objects.filter(pk=bundle.pk).update(**rest)


def _counted(frame: pl.DataFrame) -> Counts:
    new, another = int(frame["is_new"].sum()), int((frame["code"] == ANOTHER.code).sum())
    return Counts(new, frame.height - new, another)


def _bytes(frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.write_ipc(out, compression="zstd")
    return out.getvalue()


def _insert(bundle: Bundle, frame: pl.DataFrame) -> None:
    fixed: Iterable[tuple[str, object]] = {"run_id": bundle.run_id, "epoch": bundle.epoch, **_FIXED}.items()
    bulk.insert_frame(Change, frame.with_columns(**{name: pl.lit(value) for name, value in fixed}))
