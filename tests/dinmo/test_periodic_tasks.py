"""The list of periodic tasks: what each does and when, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from dinmo.admin import TASKS, every

if TYPE_CHECKING:
    from django.test import Client

LIST = "/admin/django_celery_beat/periodictask/"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "Every second"), (15, "Every 15 seconds"), (900, "Every 15 minutes"), (86_400, "Every day")],
)
def test_interval_is_given_in_its_largest_unit(seconds: int, words: str) -> None:
    assert every(seconds) == words


def test_every_task_in_the_settings_has_words() -> None:
    assert set(TASKS) == set(settings.CELERY_BEAT_SCHEDULE)


def test_list_says_what_each_task_does_and_when(admin_client: Client) -> None:
    daily = IntervalSchedule.objects.create(every=86_400, period="seconds")
    early = CrontabSchedule.objects.create(minute="17", hour="3")
    PeriodicTask.objects.create(name="prune", task="activations.tasks.prune", interval=daily)
    PeriodicTask.objects.create(name="check-sources", task="segments.tasks.check_sources", crontab=early)
    shown = admin_client.get(LIST).content.decode()
    for words in (TASKS["prune"], "Every day", TASKS["check-sources"], "At 03:17"):
        assert words in shown
    assert "m/h/dM" not in shown
