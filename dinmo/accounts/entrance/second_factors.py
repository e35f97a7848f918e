"""Key rotation for the secrets of second factors, which are encrypted inside allauth's rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.mfa.models import Authenticator

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRETS = ("secret", "seed")
LABEL = "second factors"


def tokens() -> Iterator[tuple[Authenticator, str, str]]:
    """Each encrypted secret with its row and its name in the row."""
    for row in Authenticator.objects.iterator():
        yield from ((row, name, row.data[name]) for name in SECRETS if row.data.get(name))


def replace(row: Authenticator, name: str, again: str) -> int:
    """Stores a re-encrypted secret. Returns 0 if the row has changed in the meantime."""
    return int(Authenticator.objects.filter(pk=row.pk, data=row.data).update(data={**row.data, name: again}))
