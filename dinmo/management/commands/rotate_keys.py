"""`manage.py rotate_keys`: re-encrypts all stored secrets with the first of ENCRYPTION_KEYS."""

from __future__ import annotations

import sys
from typing import Any

from core.audit import Verb, announce
from core.commands import ScriptedCommand
from dinmo.backup.key_rotation import rotate


class Command(ScriptedCommand):
    help = (
        "Re-encrypts all stored secrets with the first of ENCRYPTION_KEYS, while the application runs. Safe to "
        "interrupt and to repeat. Afterwards, you can remove the other keys."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        done = rotate()
        announce(Verb.CHANGED, "Encryption keys", {"Re-encrypted": ("", f"{done.rotated.total():,}")})
        for label in sorted({*done.rotated, *done.current}):
            self.stdout.write(
                f"{label}: {done.rotated[label]:,} re-encrypted, {done.current[label]:,} already used the first key"
            )
        if lost := done.unreadable.total():
            names = ", ".join(sorted(done.unreadable))
            self.stderr.write(
                f"{lost:,} can't be decrypted with any of ENCRYPTION_KEYS ({names}). Add the key that "
                "encrypted them, or enter them again."
            )
            sys.exit(1)
        self.stdout.write("All stored secrets use the first key. You can remove the others from ENCRYPTION_KEYS.")
