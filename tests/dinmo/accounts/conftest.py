"""What the tests of accounts share: passwords that are fast to check, and browsers at different addresses."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client


@pytest.fixture(autouse=True)
def _fast_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def visitor() -> Client:
    return Client(REMOTE_ADDR="192.0.2.10")
