"""Settings of all tests."""

from __future__ import annotations

import hypothesis

# How long an example takes says something about the machine, not about the behaviour under test.
hypothesis.settings.register_profile("here", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("here")
