"""Settings of all tests."""

from __future__ import annotations

import hypothesis
import pytest
from django.core.cache import caches
from django.db import connection

from dinmo.audit import append_only

# How long an example takes says something about the machine, not about the behaviour under test.
hypothesis.settings.register_profile("here", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("here")


@pytest.fixture(autouse=True)
def _no_cached_pages() -> None:
    """Every test begins with another database, so nothing that a page kept applies."""
    caches["pages"].clear()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> None:
    """Tests that commit empty all tables afterwards, which the triggers of the audit log refuse."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        append_only.unprotect(connection)
