"""Streams encrypted with a passphrase, in chunks. Tampering, truncation and reordering are detected."""

from __future__ import annotations

import io
import os
import struct
from typing import TYPE_CHECKING, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from core.errors import Misconfigured

if TYPE_CHECKING:
    from typing_extensions import Buffer

MAGIC = b"DinMo backup 1\n"
CHUNK_BYTES, TAG_BYTES, SALT_BYTES, KEY_BYTES = 1 << 20, 16, 16, 32
COST, BLOCK_SIZE, PARALLELISM = 17, 8, 1
"""Parameters of scrypt. The cost is an exponent of two; 17 requires 128 MB of memory and half a second."""
HIGHEST_COST = 20
_HEADER = struct.Struct(f"{len(MAGIC)}sBBB{SALT_BYTES}s")
_NONCE = struct.Struct(">3xQB")


class Encrypted(io.RawIOBase):
    """Encrypts everything written to it into `file`, which can be decrypted only after `finish`."""

    def __init__(self, file: BinaryIO, passphrase: str, cost: int = COST) -> None:
        self._file = file
        self._header = _HEADER.pack(MAGIC, cost, BLOCK_SIZE, PARALLELISM, os.urandom(SALT_BYTES))
        self._cipher = _cipher(self._header, passphrase)
        self._waiting = bytearray()
        self._number = 0
        file.write(self._header)

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer) -> int:
        self._waiting += data
        # Keeps the last chunk back, because `finish` has to mark it as the last one.
        while len(self._waiting) > CHUNK_BYTES:
            self._put(is_last=False)
        return memoryview(data).nbytes

    def finish(self) -> None:
        """Writes the last chunk."""
        self._put(is_last=True)

    def _put(self, *, is_last: bool) -> None:
        chunk = bytes(self._waiting[:CHUNK_BYTES])
        del self._waiting[:CHUNK_BYTES]
        self._file.write(self._cipher.encrypt(_NONCE.pack(self._number, is_last), chunk, self._header))
        self._number += 1


class Decrypted(io.RawIOBase):
    """Decrypts `file` while it is read. Returns data only from chunks that are authentic.

    Raises:
        Misconfigured: the file is not a backup, the passphrase is wrong, or the file is damaged. Reading can raise this
            as well.
    """

    def __init__(self, file: BinaryIO, passphrase: str) -> None:
        self._file = file
        self._header = file.read(_HEADER.size)
        self._cipher = _cipher(self._header, passphrase)
        self._next = file.read(CHUNK_BYTES + TAG_BYTES)
        self._chunk = memoryview(b"")
        self._number = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        wanted = memoryview(buffer).cast("B")
        if not self._chunk and self._next:
            self._chunk = memoryview(self._decrypt())
        size = min(len(wanted), len(self._chunk))
        wanted[:size] = self._chunk[:size]
        self._chunk = self._chunk[size:]
        return size

    def _decrypt(self) -> bytes:
        encrypted, self._next = self._next, self._file.read(CHUNK_BYTES + TAG_BYTES)
        nonce = _NONCE.pack(self._number, not self._next)
        try:
            chunk = self._cipher.decrypt(nonce, encrypted, self._header)
        except InvalidTag:
            raise _wrong_passphrase() if not self._number else damaged() from None
        self._number += 1
        return chunk


def damaged() -> Misconfigured:
    """The error for a file that was modified or truncated."""
    message = "The backup file is damaged or incomplete. Nothing was changed. Use a different copy of the file."
    return Misconfigured("backup_damaged", message)


def _wrong_passphrase() -> Misconfigured:
    message = "The passphrase is wrong, or the backup file is damaged. Nothing was changed."
    return Misconfigured("backup_passphrase_wrong", message)


def _cipher(header: bytes, passphrase: str) -> AESGCM:
    if len(header) < _HEADER.size or not header.startswith(MAGIC):
        raise Misconfigured("backup_unknown", "This file is not a DinMo backup, or was written by a newer version.")
    _, cost, block_size, parallelism, salt = _HEADER.unpack(header)
    if cost > HIGHEST_COST or (block_size, parallelism) != (BLOCK_SIZE, PARALLELISM):
        raise damaged()
    scrypt = Scrypt(salt=salt, length=KEY_BYTES, n=1 << cost, r=block_size, p=parallelism)
    return AESGCM(scrypt.derive(passphrase.encode()))
