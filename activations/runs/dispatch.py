"""Hands runs to the workers. A lost message is harmless: the sweep finds the run in the database."""

from __future__ import annotations

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)
EXECUTE = "activations.tasks.execute"


def enqueue_on_commit(run_id: int) -> None:
    """Queues the run for a worker once the current transaction is committed."""
    transaction.on_commit(lambda: enqueue(run_id))


def enqueue(run_id: int) -> None:
    """Queues the run for a worker. If the broker can't be reached, the sweep does so later."""
    try:
        current_app.send_task(EXECUTE, args=[run_id], retry=False)
    except (OperationalError, OSError) as error:
        log.warning("Run %s waits for the sweep: the broker can't be reached (%s).", run_id, type(error).__name__)
