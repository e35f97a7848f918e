"""An unsaved change of a run, for tests that need no database."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from activations.models import Activation, Change, Run


@pytest.fixture
def change() -> Change:
    run = Run(activation=Activation(name="Intercom upsert"), number=1)
    return Change(pk=1, run=run, key="7", first_attempt_at=datetime.fromtimestamp(0.5, UTC))
