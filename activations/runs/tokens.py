"""Trigger tokens: creates, finds and revokes the secrets with which programs start runs of one activation."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet

from activations.models import Activation, TriggerToken
from core.audit import recording
from core.errors import Misconfigured
from core.text.characters import is_one_line

if TYPE_CHECKING:
    from datetime import datetime

PREFIX = "dt_"
"""Of every token, so that scanners for leaked secrets can find them."""
BYTES = 32
HINT_LENGTH = len(PREFIX) + 6
LONGEST_NAME = 200
NOTED_EVERY = timedelta(minutes=1)
"""A program that polls every second doesn't write to the database every second."""


def create(activation: Activation, name: str, created_by: str) -> tuple[TriggerToken, str]:
    """Creates a token. The secret is returned this once, and can't be read again.

    Args:
        name: which program uses it, such as dbt.

    Raises:
        Misconfigured: the name is missing, too long, or that of a different token of this activation that is in use.
    """
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not is_one_line(name):
        raise Misconfigured("token_name", f"Enter a name of at most {LONGEST_NAME} characters, such as dbt.")
    if in_use(activation).filter(name=name).exists():
        raise Misconfigured("token_name", f"This activation has a token named “{name}”. Enter a different name.")
    secret = PREFIX + secrets.token_urlsafe(BYTES)
    token = TriggerToken.objects.create(
        activation=activation, name=name, digest=digest(secret), hint=secret[:HINT_LENGTH], created_by=created_by
    )
    return token, secret


def find(secret: str, now: datetime) -> TriggerToken | None:
    """The token with this secret, unless it was revoked. Notes when it was used."""
    wanted = digest(secret)
    token = TriggerToken.objects.select_related("activation").filter(digest=wanted, revoked_at=None).first()
    # The digest is looked up, never the secret: how long that takes depends on no secret.
    if token is None or not hmac.compare_digest(token.digest, wanted):
        return None
    unnoted = Q(last_used_at=None) | Q(last_used_at__lt=now - NOTED_EVERY)
    TriggerToken.objects.filter(unnoted, pk=token.pk).update(last_used_at=now)
    return token


def revoke(token: TriggerToken, now: datetime) -> None:
    """Ends the use of a token for good. Does nothing to one that was revoked before."""
    with recording(token):
        TriggerToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now)


def in_use(activation: Activation) -> QuerySet[TriggerToken]:
    """The tokens of an activation that were not revoked, newest first."""
    return TriggerToken.objects.filter(activation=activation, revoked_at=None)


def digest(secret: str) -> str:
    """What is stored of a secret. It has 256 random bits, so a plain hash can't be reversed."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
