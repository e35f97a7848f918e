"""PURE. What a query may not mention or call in MySQL and MariaDB, because it does more than read rows."""

from __future__ import annotations

import re

FORBIDDEN = frozenset(
    {
        # Files of the server, sequences, and the shell.
        "load_file",
        "outfile",
        "dumpfile",
        "nextval",
        "setval",
        "sys_exec",
        "sys_eval",
        # Locks, and waits for other servers.
        "get_lock",
        "release_lock",
        "release_all_locks",
        "is_free_lock",
        "is_used_lock",
        "master_pos_wait",
        "source_pos_wait",
        "master_gtid_wait",
        "wait_for_executed_gtid_set",
    }
)
"""Refused anywhere in a query, even in strings and comments. No column is likely to have such a name."""
FORBIDDEN_CALLS = FORBIDDEN | {"sleep", "benchmark", "lastval"}
"""Refused only if called, because a column may well have such a name."""
LOCKING = re.compile(r"\block\s+in\s+share\b|\bfor\s+(share|update)\b", re.IGNORECASE)
