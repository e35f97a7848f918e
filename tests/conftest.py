"""Settings of all tests."""

from __future__ import annotations

import hypothesis
import pytest
from django.core.cache import cache

# How long an example takes says something about the machine, not about the behaviour under test.
hypothesis.settings.register_profile("here", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("here")


@pytest.fixture(autouse=True)
def _no_cached_pages() -> None:
    """Every test begins with another database, so nothing that a page kept applies."""
    cache.clear()
