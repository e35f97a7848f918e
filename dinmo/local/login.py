"""The first login of a new installation."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.contrib.auth import get_user_model

USERNAME = "admin"


@dataclass(frozen=True)
class Login:
    """A username and its password, shown only once."""

    username: str
    password: str


def first_login() -> Login | None:
    """Creates an administrator. Returns None if there is an administrator already, or if the username is taken."""
    users = get_user_model()._default_manager
    if users.filter(is_superuser=True).exists() or users.filter(username=USERNAME).exists():
        return None
    login = Login(USERNAME, secrets.token_urlsafe(12))
    users.create_superuser(login.username, password=login.password)
    return login
