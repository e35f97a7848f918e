"""The Celery application, and the log of its processes: each line of a task carries the task's ID."""

from __future__ import annotations

import logging
import os
import warnings
from typing import Any

from celery import Celery
from celery.platforms import SecurityWarning
from celery.signals import beat_init, setup_logging, task_postrun, task_prerun, worker_init, worker_ready
from structlog.contextvars import bind_contextvars, clear_contextvars

from dinmo.security.startup import refuse_unsafe_start

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dinmo.settings")

app = Celery("dinmo")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
log = logging.getLogger(__name__)
# It is about pickled messages, which a worker that runs as root would execute. Ours are JSON, and others are refused.
warnings.filterwarnings("ignore", category=SecurityWarning)


@setup_logging.connect
def keep_our_logs(**_signal: Any) -> None:
    """Prevents Celery from setting up logging: Django has done so."""


@worker_ready.connect
def announce_worker(sender: Any, **_signal: Any) -> None:
    """Logs which queues the worker serves."""
    log.info("Worker %s is ready. It serves %s.", sender.hostname, ", ".join(sorted(app.amqp.queues.consume_from)))


@task_prerun.connect
def begin(task_id: str, task: Any, **_signal: Any) -> None:
    """Names the task in every line that it logs."""
    clear_contextvars()
    bind_contextvars(task_id=task_id, task=task.name.rpartition(".")[2])


@task_postrun.connect
def end(**_signal: Any) -> None:
    """What is logged after a task is not about it."""
    clear_contextvars()


worker_init.connect(refuse_unsafe_start)
beat_init.connect(refuse_unsafe_start)
