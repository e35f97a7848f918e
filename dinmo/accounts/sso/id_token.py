"""PURE. Whether an ID token of an OpenID Connect provider is valid, and was issued for this very sign-in."""

from __future__ import annotations

from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING, Any

import jwt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Those with a public key. A token that is signed with a shared secret, or not at all, is refused."""
REQUIRED = ["iss", "sub", "aud", "exp", "iat"]
LEEWAY_SECONDS = 60
"""By how much the clocks of both sides may differ."""


class NotValid(Exception):
    """An ID token that can't be trusted. The message holds nothing of the token."""


def nonce_of(verifier: str) -> str:
    """The nonce of a sign-in, derived from its secret, so that nothing else has to be kept in the session."""
    return sha256(f"nonce:{verifier}".encode()).hexdigest()


def claims(token: str, keys: Sequence[Mapping[str, Any]], issuer: str, client: str, nonce: str) -> dict[str, Any]:
    """What a valid token says about a person.

    Args:
        keys: the provider's public keys, as JSON Web Keys.
        client: the ID of this installation at the provider.
        nonce: what was sent with the request for this sign-in.

    Raises:
        NotValid: the signature, the issuer, the audience, the time or the nonce is wrong.
    """
    try:
        key = _key(jwt.get_unverified_header(token).get("kid"), keys)
        found: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=ALGORITHMS,
            audience=client,
            issuer=issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": REQUIRED},
        )
    except jwt.PyJWTError as error:
        raise NotValid(f"The ID token is not valid: {type(error).__name__}") from None
    if found.get("azp", client) != client:
        raise NotValid("The ID token was issued for a different client")
    if not compare_digest(str(found.get("nonce", "")), nonce):
        raise NotValid("The ID token belongs to a different sign-in")
    return found


def _key(name: str | None, keys: Sequence[Mapping[str, Any]]) -> jwt.PyJWK:
    signing = [key for key in keys if key.get("use", "sig") == "sig"]
    matching = [key for key in signing if key.get("kid") == name] if name else signing
    if len(matching) != 1:
        raise NotValid("The provider has no key that signed the ID token")
    return jwt.PyJWK(dict(matching[0]))
