"""PURE. Stable 64-bit digests: of a record's key, of its row (a prefilter), and of each converted value (what decides).

The algorithm is XXH3 and frozen as version 1: a digest in the database outlives every release. DuckDB's and Polars' own
hashes change between their versions and are not used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
import polars as pl
import polars_hash as plh
import pyarrow as pa
import xxhash

VERSION = 1
WIDTH = 8
IN_DOUBT = 1
"""The digest of no value: differs from all, and from 0, which says that nothing was ever accepted in a slot."""
_NULL = "\x00"
_SEPARATOR = "\x1f"


def of_text(text: str) -> int:
    """The digest of a text as a signed 64-bit number, never 0: 0 stands for "nothing"."""
    return _signed(xxhash.xxh3_64_intdigest(text.encode(errors="surrogatepass")))


def of_value(wire: Any) -> int:
    """The digest of a wire value: of its canonical JSON, so that 1 and 1.0 and the order of keys make no difference."""
    return _signed(xxhash.xxh3_64_intdigest(canonical(wire)))


def canonical(wire: Any) -> bytes:
    """Canonical JSON: sorted keys, integral floats as integers, no white space."""
    try:
        return orjson.dumps(_plain(wire), option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        # Integers over 64 bits and lone surrogates are refused by orjson.
        return repr(_plain(wire)).encode(errors="surrogatepass")


def keys(column: pa.Array) -> tuple[pl.Series, np.ndarray]:
    """The key column as text, null where it is blank, and its digests (0 where null)."""
    text = _text(pl.from_arrow(column))
    text = text.set(text.str.strip_chars() == "", None) if len(text) else text
    return text, _hash([text])


def as_text(column: pa.Array) -> pl.Series:
    """A column as text, whatever its type."""
    return _text(pl.from_arrow(column))


def of_texts(texts: pl.Series) -> np.ndarray:
    """The digest of each text, as `of_text`; 0 where it is null."""
    return _hash([texts])


def rows(columns: Sequence[pa.Array], seed: int) -> np.ndarray:
    """One digest a row over these columns, seeded with the layout they are read for."""
    count = len(columns[0])
    seeded = pl.Series("seed", [str(seed)]).extend_constant(str(seed), count - 1) if count else pl.Series("seed", [], pl.String)
    return _hash([seeded, *(_text(pl.from_arrow(column)) for column in columns)])


def pack(digests: Mapping[int, int], old: bytes = b"") -> bytes:
    """`old` with the digests of some slots replaced; a slot lives at 8 × its number."""
    length = max([len(old), *((slot + 1) * WIDTH for slot in digests)])
    packed = bytearray(old.ljust(length, b"\0"))
    for slot, digest in digests.items():
        packed[slot * WIDTH : (slot + 1) * WIDTH] = digest.to_bytes(WIDTH, "little", signed=True)
    return bytes(packed)


def packed(table: np.ndarray) -> list[bytes]:
    """Each row of a table of digests, packed."""
    data, width = table.astype("<i8").tobytes(), table.shape[1] * WIDTH
    return [data[start : start + width] for start in range(0, len(table) * width, width)] if width else [b""] * len(table)


def only(packed: bytes, names: Iterable[str], slots: Mapping[str, int]) -> bytes:
    """`packed` with nothing but the slots of these attributes; another record has none of what was accepted before."""
    return pack({slots[name]: unpack(packed, slots[name]) for name in names if name in slots})


def unpack(packed: bytes, slot: int) -> int:
    """The digest of one slot, 0 where nothing was accepted."""
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


def _text(series: pl.Series | pl.DataFrame) -> pl.Series:
    assert isinstance(series, pl.Series)
    if series.dtype == pl.String:
        return series
    if series.dtype.is_float():
        # 42.0 and 42 are one key, whatever the driver calls its type.
        return series.cast(pl.String).str.replace(r"\.0$", "")
    if series.dtype.is_nested():
        return pl.Series(series.name, [None if value is None else str(value) for value in series.to_list()], pl.String)
    return series.cast(pl.String)


def _hash(columns: Sequence[pl.Series]) -> np.ndarray:
    frame = pl.DataFrame([column.alias(str(number)) for number, column in enumerate(columns)])
    joined = plh.concat_str([pl.col(name).fill_null(_NULL) for name in frame.columns], separator=_SEPARATOR)
    digests = frame.select(joined.nchash.xxh3_64().alias("digest"))["digest"].to_numpy().view(np.int64).copy()
    digests[digests == 0] = 1
    if len(columns) == 1:
        digests[columns[0].is_null().to_numpy()] = 0
    return digests
