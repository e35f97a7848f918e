"""What is said to the process that makes copies of itself, and what it says about each of them."""

from __future__ import annotations

import struct

ORDER = struct.Struct("!cQ")
"""An order and the number of the process that it is about. With `START` come its socket and a pipe for its end."""
START, KILL = b"s", b"k"
ENDED = struct.Struct("!i")
"""What is written to the pipe of a process that has ended, as `os.waitpid` returns it."""
