"""A password validator that Django lacks: refuses a short text that is repeated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

MINIMUM_LENGTH = 12
FEWEST_CHARACTERS = 5
"""How many different characters a password needs."""
LONGEST = 100
"""Only this many characters of a password are checked."""
_REPEATED = re.compile(r"(.{1,8}?)\1+(.{0,8})", re.DOTALL)
HELP = "Your password must not be a short text or a few characters that are repeated."


class NotRepeatedValidator:
    """Refuses passwords such as `staff0staff0`, `aaaaaaaaaaaa` and `abababababab`."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        """Raises ValidationError if the password is a repeated pattern."""
        if is_repeated(password):
            raise ValidationError(HELP, code="password_repeated")

    def get_help_text(self) -> str:
        return HELP


def is_repeated(password: str) -> bool:
    """Whether a password is a pattern of up to eight characters, repeated, or has very few different characters."""
    text = password.casefold()[:LONGEST]
    match = _REPEATED.fullmatch(text)
    # The end may be the beginning of one more repetition, as in `abcabcab`.
    return len(set(text)) < FEWEST_CHARACTERS or bool(match and match[1].startswith(match[2]))
