"""PURE. Stable 64-bit digests: of a record's key, of its row (a prefilter), and of each converted value (what decides).

The algorithm is XXH3 and frozen as version 1: a digest in the database outlives every release. DuckDB's and Polars' own
hashes change between their versions and are not used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
import polars as pl
import polars_hash as plh
import pyarrow as pa
import xxhash

from segments.contract import ColumnType

VERSION = 1
WIDTH = 8
IN_DOUBT = 1
"""Stored if the destination's value is unknown. No value has this digest, nor 0, which means "never accepted"."""
_NULL = "\x00"
_SEPARATOR = "\x1f"


def of_text(text: str) -> int:
    """The digest of a text as a signed 64-bit integer; never 0, which stands for "nothing"."""
    return _signed(xxhash.xxh3_64_intdigest(text.encode(errors="surrogatepass")))


def of_value(wire: Any) -> int:
    """The digest of a wire value's canonical JSON, so that 1 equals 1.0 and the order of keys makes no difference."""
    return _signed(xxhash.xxh3_64_intdigest(canonical(wire)))


def canonical(wire: Any) -> bytes:
    """Canonical JSON: sorted keys, integral floats as integers, no whitespace."""
    try:
        return orjson.dumps(_plain(wire), option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        # orjson does not take integers over 64 bits and lone surrogates.
        return repr(_plain(wire)).encode(errors="surrogatepass")


def as_texts(columns: Sequence[pa.Array]) -> pl.DataFrame:
    """Columns as text, whatever their types, each named by its position: "0", "1" and so on."""
    series = [pl.Series(str(place), column) for place, column in enumerate(columns)]
    return pl.DataFrame(series).select([_text(column) for column in series])


def with_whole_keys(
    batch: pa.RecordBatch, types: Mapping[str, ColumnType], known: Callable[[np.ndarray], np.ndarray]
) -> pa.RecordBatch:
    """The same rows, in which a key that is a whole number is its digits: 1.0 is 1.

    A program that stores 1 as a floating-point number, because another row has no number, writes 1.0. A key that was
    accepted in its own spelling keeps it.

    Args:
        batch: rows whose first column is the key.
        types: the types of the columns. A key that is not a number is as it is written.
        known: returns which key digests were accepted before.
    """
    native = batch.column(0).type
    is_numeric = types[batch.schema.names[0]] in (ColumnType.INTEGER, ColumnType.NUMBER)
    if not is_numeric or pa.types.is_integer(native) or pa.types.is_floating(native):
        return batch
    spelled = pl.Series("0", batch.column(0).cast(pa.string()))
    whole = spelled.str.replace(r"^(-?[0-9]+)\.0+$", "${1}")
    differing = np.flatnonzero((spelled != whole).fill_null(False).to_numpy())
    if not len(differing):
        return batch
    former, current = (of_texts(texts.gather(differing)) for texts in (spelled, whole))
    kept = differing[known(former) & ~known(current)]
    keys = whole.scatter(kept, spelled.gather(kept))
    return batch.set_column(0, batch.schema.names[0], keys.to_arrow(compat_level=pl.CompatLevel.oldest()))


def keys_and_rows(texts: pl.DataFrame, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The digests of the first column, the key (0 if it is null or only whitespace), and one of each whole row.

    Args:
        seed: the digest of the layout for which the rows are read.
    """
    key = pl.col("0")
    table = texts.select(
        pl.when(key.str.strip_chars() != "").then(_hashed([key])).otherwise(0).alias("key"),
        _hashed([pl.lit(str(seed)), *(pl.col(name) for name in texts.columns)]).alias("row"),
    )
    return table["key"].to_numpy(), table["row"].to_numpy()


def of_columns(texts: pl.DataFrame) -> np.ndarray:
    """The digest of each text, as `of_text` returns it, in the frame's shape; 0 if the text is null."""
    digests = [
        pl.when(pl.col(name).is_not_null()).then(_hashed([pl.col(name)])).otherwise(0).alias(name)
        for name in texts.columns
    ]
    return texts.select(digests).to_numpy()


def of_texts(texts: pl.Series) -> np.ndarray:
    """The digest of each text, as `of_text` returns it; 0 if the text is null."""
    return of_columns(texts.to_frame())[:, 0]


def pack(digests: Mapping[int, int], old: bytes = b"") -> bytes:
    """`old` with the digests of some slots replaced. A slot starts at byte 8 × its number."""
    length = max([len(old), *((slot + 1) * WIDTH for slot in digests)])
    packed = bytearray(old.ljust(length, b"\0"))
    for slot, digest in digests.items():
        packed[slot * WIDTH : (slot + 1) * WIDTH] = digest.to_bytes(WIDTH, "little", signed=True)
    return bytes(packed)


def packed(table: np.ndarray) -> pl.Series:
    """Each row of a table of digests, packed."""
    return as_bytes(
        table.astype("<i8").view(np.uint8).reshape(len(table), -1)
        if table.size
        else np.empty((len(table), 0), np.uint8)
    )


def unpacked(packed: pl.Series, slots: int) -> np.ndarray:
    """The digests of packed records, in shape (records, slots); 0 if nothing was accepted."""
    width = slots * WIDTH
    if not (packed.bin.size() == width).all():
        packed = pl.Series([digests[:width].ljust(width, b"\0") for digests in packed], dtype=pl.Binary)
    array = packed.to_arrow(compat_level=pl.CompatLevel.oldest())
    _, ends, data = array.buffers()
    first = np.frombuffer(ends, dtype=np.int64)[array.offset]
    return np.frombuffer(data, dtype="<i8", offset=first, count=len(array) * slots).reshape(len(array), slots)


def as_bytes(table: np.ndarray) -> pl.Series:
    """Each row of a table of bytes as one value."""
    rows, width = table.shape
    ends = np.arange(rows + 1, dtype=np.int64) * width
    return pl.Series(
        pa.Array.from_buffers(pa.large_binary(), rows, [None, pa.py_buffer(ends), pa.py_buffer(table.tobytes())])
    )


def among(digests: np.ndarray, few: np.ndarray) -> np.ndarray:
    """Which of the digests are among a few sorted ones (at least one). Unlike `np.isin`, it sorts nothing."""
    equal: np.ndarray = few[np.minimum(np.searchsorted(few, digests), len(few) - 1)] == digests
    return equal


def only(packed: bytes, names: Iterable[str], slots: Mapping[str, int]) -> bytes:
    """`packed` with only the slots of these attributes, for a different record, which has nothing accepted yet."""
    return pack({slots[name]: unpack(packed, slots[name]) for name in names if name in slots})


def unpack(packed: bytes, slot: int) -> int:
    """The digest of one slot; 0 if nothing was accepted."""
    return int.from_bytes(packed[slot * WIDTH : (slot + 1) * WIDTH], "little", signed=True)


def _signed(digest: int) -> int:
    return (digest - (1 << 64) if digest >= 1 << 63 else digest) or 1


def _plain(wire: Any) -> Any:
    if isinstance(wire, float) and wire.is_integer() and abs(wire) < 2**63:
        return int(wire)
    if isinstance(wire, Mapping):
        return {str(name): _plain(value) for name, value in wire.items()}
    if isinstance(wire, list | tuple):
        return [_plain(value) for value in wire]
    return wire


def _text(series: pl.Series) -> pl.Expr | pl.Series:
    if series.dtype.is_nested():
        return pl.Series(series.name, [None if value is None else str(value) for value in series.to_list()], pl.String)
    text = pl.col(series.name).cast(pl.String)
    # 42.0 and 42 are the same key, whichever type the driver reports.
    return text.str.replace(r"\.0$", "") if series.dtype.is_float() else text


def _hashed(texts: Sequence[pl.Expr]) -> pl.Expr:
    joined = plh.concat_str([text.fill_null(_NULL) for text in texts], separator=_SEPARATOR)
    digest = joined.nchash.xxh3_64().reinterpret(signed=True)
    return pl.when(digest == 0).then(1).otherwise(digest)
