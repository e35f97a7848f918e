"""Where the passphrase of a backup comes from: the environment, or a person at the terminal. Never an argument."""

from __future__ import annotations

import os
import sys
from getpass import getpass

from core.errors import Misconfigured
from dinmo.accounts.passwords import MINIMUM_LENGTH

VARIABLE = "BACKUP_PASSPHRASE"


def choose() -> str:
    """The passphrase for a new backup. Raises Misconfigured if it is missing, too short or typed differently twice."""
    given = _given()
    if len(given) < MINIMUM_LENGTH:
        message = f"The passphrase needs at least {MINIMUM_LENGTH} characters: it protects every key."
        raise Misconfigured("backup_passphrase_short", message)
    if not os.environ.get(VARIABLE) and getpass("The same passphrase again: ") != given:
        raise Misconfigured("backup_passphrase_differs", "The two passphrases differ. Start again.")
    return given


def enter() -> str:
    """The passphrase of a backup that exists. Raises Misconfigured if it is missing."""
    return _given()


def _given() -> str:
    if given := os.environ.get(VARIABLE):
        return given
    if not sys.stdin.isatty():
        message = f"There is no terminal to ask for the passphrase. Set {VARIABLE} in the environment."
        raise Misconfigured("backup_passphrase_missing", message)
    return getpass("Passphrase of the backup: ")
