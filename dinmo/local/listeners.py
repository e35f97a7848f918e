"""Keeps new clients off a listening socket that is about to be closed, so that none of them is cut off.

The kernel lets clients in before the program accepts them. If the program closes its socket, the clients that were let
in since it last accepted one are reset. They may have sent a request by then, so a proxy can't safely repeat it.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path

SO_ATTACH_FILTER = 26
"""From Linux's asm-generic/socket.h. Python has no name for it."""
FLAGS_BYTE, SYN = 13, 0x02
"""Where a TCP header has its flags, and the flag of the packet that opens a connection."""
_LOAD_BYTE, _SKIP_UNLESS_SET, _RETURN = 0x30, 0x45, 0x06
_KEEP = 0xFFFFFFFF
_DROP_NEW_CLIENTS = b"".join(
    struct.pack("HBBI", *instruction)
    for instruction in (
        (_LOAD_BYTE, 0, 0, FLAGS_BYTE),
        (_SKIP_UNLESS_SET, 0, 1, SYN),
        (_RETURN, 0, 0, 0),
        (_RETURN, 0, 0, _KEEP),
    )
)
"""A classic BPF program for a socket filter, which needs no privilege."""


def refuse_new_clients(listener: socket.socket) -> None:
    """Lets no more clients in, in any process that has this socket.

    Who tries waits for a second, as TCP does, and is refused once the socket is closed. Does nothing outside Linux.
    """
    if sys.platform != "linux":
        return
    instructions = ctypes.create_string_buffer(_DROP_NEW_CLIENTS, len(_DROP_NEW_CLIENTS))
    program = struct.pack("HP", len(_DROP_NEW_CLIENTS) // 8, ctypes.addressof(instructions))
    # A kernel or a sandbox may refuse filters. Then, few clients are at risk, and the socket is closed all the same.
    with suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


def is_kept_by_parent(listener: socket.socket) -> bool:
    """Whether the parent process has this socket too, so that clients who are let in now are accepted by its others."""
    wanted = f"socket:[{os.fstat(listener.fileno()).st_ino}]"
    try:
        return any(_target(path) == wanted for path in Path(f"/proc/{os.getppid()}/fd").iterdir())
    except OSError:
        # It can't be seen, as outside Linux.
        return True


def _target(path: Path) -> str:
    with suppress(OSError):
        return str(path.readlink())
    return ""
