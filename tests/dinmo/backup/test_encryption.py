"""The encrypted stream: what was written is read back, and a file that was changed anywhere is refused."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from core.errors import Misconfigured
from dinmo.backup.encryption import CHUNK_BYTES, TAG_BYTES, Decrypted, Encrypted

if TYPE_CHECKING:
    from collections.abc import Callable

PASSPHRASE = "correct horse battery staple"
QUICK = 10


def encrypted(content: bytes) -> bytes:
    file = io.BytesIO()
    stream = Encrypted(file, PASSPHRASE, QUICK)
    stream.write(content)
    stream.finish()
    return file.getvalue()


def decrypted(content: bytes, passphrase: str = PASSPHRASE) -> bytes:
    return Decrypted(io.BytesIO(content), passphrase).read()


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_what_was_written_is_read_back(size: int) -> None:
    content = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    assert decrypted(encrypted(content)) == content


def test_nothing_of_the_content_is_readable_and_no_two_files_are_alike() -> None:
    content = b"a secret token" * 100
    assert b"secret" not in encrypted(content)
    assert encrypted(content)[-64:] != encrypted(content)[-64:]


def test_wrong_passphrase_is_refused() -> None:
    with pytest.raises(Misconfigured) as refused:
        decrypted(encrypted(b"x" * 100), "correct horse battery stable")
    assert refused.value.code == "backup_passphrase_wrong"


def _cut_in_the_middle(file: bytes) -> bytes:
    return file[: len(file) // 2]


def _cut_after_a_whole_chunk(file: bytes) -> bytes:
    return file[: -(CHUNK_BYTES + TAG_BYTES)]


def _cut_by_one_byte(file: bytes) -> bytes:
    return file[:-1]


def _with_a_byte_more(file: bytes) -> bytes:
    return file + b"\0"


def _with_a_bit_changed(file: bytes) -> bytes:
    changed = bytearray(file)
    changed[-CHUNK_BYTES // 2] ^= 1
    return bytes(changed)


def _with_two_chunks_swapped(file: bytes) -> bytes:
    size = CHUNK_BYTES + TAG_BYTES
    head, first, second, last = file[: -3 * size], file[-3 * size : -2 * size], file[-2 * size : -size], file[-size:]
    return head + second + first + last


@pytest.mark.parametrize(
    "damage",
    [
        _cut_in_the_middle,
        _cut_after_a_whole_chunk,
        _cut_by_one_byte,
        _with_a_byte_more,
        _with_a_bit_changed,
        _with_two_chunks_swapped,
    ],
)
def test_damaged_file_is_refused(damage: Callable[[bytes], bytes]) -> None:
    whole = encrypted(b"0123456789abcdef" * (CHUNK_BYTES // 16 * 4))
    assert len(decrypted(whole)) == 4 * CHUNK_BYTES
    with pytest.raises(Misconfigured) as refused:
        decrypted(damage(whole))
    assert refused.value.code in ("backup_damaged", "backup_passphrase_wrong")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 something else entirely, but long enough for a header"])
def test_other_file_is_not_taken_for_a_backup(content: bytes) -> None:
    with pytest.raises(Misconfigured) as refused:
        decrypted(content)
    assert refused.value.code == "backup_unknown"
