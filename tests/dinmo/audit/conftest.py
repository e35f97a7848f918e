"""An activation with everything that it depends on, and who acts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.apps import apps

from dinmo.audit.models import AuditEntry
from dinmo.backup.schema import reset_sequences
from tests.dinmo.conftest import one_of_each, staff  # noqa: F401

if TYPE_CHECKING:
    from collections.abc import Callable

    from activations.models import Activation


@pytest.fixture
def activation(one_of_each: Activation) -> Activation:  # noqa: F811
    """An activation with one field mapping."""
    # PostgreSQL does not count rows that bring their own IDs.
    reset_sequences(apps.get_models())
    one_of_each.mappings.create(column="name", target="name")
    return one_of_each


@pytest.fixture
def since(db: None) -> Callable[[], list[AuditEntry]]:
    """Returns the entries that were written since it was called the last time, oldest first."""
    last = [0]

    def entries() -> list[AuditEntry]:
        found = list(AuditEntry.objects.filter(pk__gt=last[0]).order_by("pk"))
        last[0] = found[-1].pk if found else last[0]
        return found

    entries()
    return entries
