"""Reads the passphrase of a backup from the environment or the terminal, but never from an argument."""

from __future__ import annotations

import os
import sys
from getpass import getpass

from core.errors import Misconfigured
from dinmo.accounts.passwords import MINIMUM_LENGTH

VARIABLE = "BACKUP_PASSPHRASE"


def choose() -> str:
    """The passphrase for a new backup. Raises Misconfigured if it is missing, too short or not confirmed."""
    given = _given()
    if len(given) < MINIMUM_LENGTH:
        message = f"The passphrase must have at least {MINIMUM_LENGTH} characters, because it protects all keys."
        raise Misconfigured("backup_passphrase_short", message)
    if not os.environ.get(VARIABLE) and getpass("Passphrase again: ") != given:
        raise Misconfigured("backup_passphrase_differs", "The passphrases don't match. Try again.")
    return given


def enter() -> str:
    """The passphrase of an existing backup. Raises Misconfigured if it is missing."""
    return _given()


def _given() -> str:
    if given := os.environ.get(VARIABLE):
        return given
    if not sys.stdin.isatty():
        message = f"There is no terminal to enter the passphrase. Set {VARIABLE} in the environment."
        raise Misconfigured("backup_passphrase_missing", message)
    return getpass("Passphrase of the backup: ")
