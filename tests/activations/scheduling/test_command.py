"""`manage.py sync_schedules` restores the periodic tasks and prints each step."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.core.management import call_command
from django_celery_beat.models import PeriodicTask

from tests.activations.scheduling.test_periodic_tasks import activation, schedule  # noqa: F401

if TYPE_CHECKING:
    from activations.models import Activation

pytestmark = pytest.mark.django_db


def printed() -> str:
    out = StringIO()
    call_command("sync_schedules", stdout=out)
    return out.getvalue()


def test_missing_task_is_restored_once(activation: Activation) -> None:  # noqa: F811
    schedule(activation, every=45)
    PeriodicTask.objects.all().delete()
    assert printed() == "Created: the periodic task of A, Every 45 minutes.\n"
    assert printed() == "Every schedule has its periodic task.\n"
