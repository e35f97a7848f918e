"""Looks up accounts by username or email address."""

from __future__ import annotations

from django.contrib.auth.models import User

LONGEST_NAME = 254


def with_email(email: str) -> list[User]:
    """The accounts with that address. Uppercase and lowercase are the same.

    Databases also take some different characters for the same, such as the dotless i, and somebody else can own that
    address.
    """
    wanted = email.strip().lower()
    found = User.objects.filter(email__iexact=wanted) if wanted else User.objects.none()
    return [user for user in found if user.email.lower() == wanted]


def by_email(email: str) -> User | None:
    """The account with that address; None if there is none, or more than one."""
    found = with_email(email)
    return found[0] if len(found) == 1 else None


def by_name(name: str) -> User | None:
    """The account with that username, or else with that email address. Uppercase and lowercase are the same."""
    name = name.strip()[:LONGEST_NAME]
    return (User.objects.filter(username__iexact=name).order_by("pk").first() if name else None) or by_email(name)
