"""The physical lines of a text file in any encoding, in bounded memory, and which encoding a file has."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BLOCK_BYTES = 1 << 20
LONGEST_LINE = 8_000_000
"""In bytes. DuckDB silently loses a longer line if it is the last one of a file."""
UTF_8 = "utf-8"
_MARKS = {
    codecs.BOM_UTF8: UTF_8,
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""In this order, because the mark of UTF-16 is the beginning of the one of UTF-32."""
_WIDE = ("utf-16", "utf-16-le", "utf-16-be", "utf-32")
"""Encodings in which a line break is more than one byte."""
NAMES = {UTF_8: "UTF-8", "latin-1": "ISO 8859-1", "shift_jis": "Shift JIS", "gb18030": "GB 18030"}
"""How messages name the encodings that are not simply written in uppercase."""


@dataclass(frozen=True)
class Line:
    """A physical line with its line break.

    Args:
        number: counts from 1.
        text: with replacement characters if the line is not in the file's encoding.
        readable: whether it is.
    """

    number: int
    text: str
    readable: bool = True


def detected_encoding(head: bytes) -> str:
    """The encoding of a file by its first bytes: by its byte order mark, or by the zero bytes of UTF-16."""
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding
    even, odd = head[:4000:2], head[1:4000:2]
    if len(odd) >= 2 and odd.count(0) * 2 > len(odd) and not even.count(0):
        return "utf-16-le"
    if len(odd) >= 2 and even.count(0) * 2 > len(even) and not odd.count(0):
        return "utf-16-be"
    return UTF_8


def encoding_of(path: Path, chosen: str) -> str:
    """The encoding in which a file is read: the chosen one, or if that is "", the detected one.

    Raises:
        OSError
    """
    with path.open("rb") as file:
        detected = detected_encoding(file.read(4000))
    if chosen == "utf-16":
        # Without a byte order mark, Python would take the one of this machine.
        return detected if detected in _WIDE else "utf-16-le"
    return chosen or detected


def has_mark(path: Path) -> bool:
    """Whether a file begins with the byte order mark of UTF-8.

    Raises:
        OSError
    """
    with path.open("rb") as file:
        return file.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8


def lines(path: Path, encoding: str) -> Iterator[Line]:
    """The lines of a file. Only \\n, \\r\\n and \\r end a line. A byte order mark is left out.

    Raises:
        OSError
    """
    decoding = UTF_8 if encoding in _WIDE else encoding
    for number, raw in enumerate(_raw_lines(path, encoding), start=1):
        try:
            yield Line(number, raw.decode(decoding))
        except UnicodeDecodeError:
            yield Line(number, raw.decode(decoding, "replace"), readable=False)


def has_long_line(path: Path) -> bool:
    """Whether a line of an UTF-8 file is longer than `LONGEST_LINE`.

    Raises:
        OSError
    """
    if path.stat().st_size <= LONGEST_LINE:
        return False
    length = 0
    with path.open("rb") as file:
        for block in iter(lambda: file.read(BLOCK_BYTES), b""):
            last = max(block.rfind(b"\n"), block.rfind(b"\r"))
            # A line that ends inside of the block is at most one block longer than what was counted before.
            length = length + len(block) if last < 0 else len(block) - last
            if length > LONGEST_LINE - BLOCK_BYTES:
                return True
    return False


def is_long(text: str) -> bool:
    """Whether a line is longer than `LONGEST_LINE` in UTF-8."""
    return len(text) > LONGEST_LINE // 4 and len(text.encode()) > LONGEST_LINE


def has_mixed_breaks(path: Path) -> bool:
    """Whether an UTF-8 file ends some lines with \\n, and others with \\r\\n or \\r.

    Raises:
        OSError
    """
    feeds = returns = pairs = 0
    with path.open("rb") as file:
        for block in iter(lambda: file.read(BLOCK_BYTES), b""):
            # So that no \r\n is cut in two.
            while block.endswith(b"\r") and (more := file.read(1)):
                block += more
            feeds += block.count(b"\n")
            if b"\r" in block:
                returns += block.count(b"\r")
                pairs += block.count(b"\r\n")
    return sum(number > 0 for number in (pairs, feeds - pairs, returns - pairs)) > 1


def not_in_encoding(encoding: str, chosen: str) -> str:
    """What is wrong with a line that is not in the file's encoding, as the end of a sentence."""
    name = NAMES.get(encoding, encoding.capitalize() if encoding.startswith("windows") else encoding.upper())
    if encoding == UTF_8:
        return f"is not in {name}. It is probably Windows-1252: choose it under Encoding, or save the file in UTF-8"
    return f"is not in {name}, which was {'chosen' if chosen else 'detected'}. Choose a different encoding"


def _raw_lines(path: Path, encoding: str) -> Iterator[bytes]:
    """The lines in bytes; those of an encoding with wide line breaks in UTF-8."""
    rest = b""
    for block in _blocks(path, encoding):
        # Not cut after \r, because \n may follow in the next block.
        pieces = (rest + block).splitlines(keepends=True)
        rest = pieces.pop() if pieces and not pieces[-1].endswith(b"\n") else b""
        yield from pieces
    if rest:
        yield from rest.splitlines(keepends=True)


def _blocks(path: Path, encoding: str) -> Iterator[bytes]:
    mark = codecs.BOM_UTF8
    with path.open("rb") as file:
        if encoding not in _WIDE:
            head = file.read(BLOCK_BYTES)
            yield head.removeprefix(mark) if encoding == UTF_8 else head
            yield from iter(lambda: file.read(BLOCK_BYTES), b"")
            return
        decoder = codecs.getincrementaldecoder(encoding)("replace")
        for block in iter(lambda: file.read(BLOCK_BYTES), b""):
            yield decoder.decode(block).encode()
        yield decoder.decode(b"", final=True).encode()
