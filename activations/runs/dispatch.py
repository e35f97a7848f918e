"""Hands runs to the workers. A lost message is harmless: the sweep finds the run in the database."""

from __future__ import annotations

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from activations.models import Run

log = logging.getLogger(__name__)
EXECUTE = "activations.tasks.execute"
PLANNING, DELIVERY, OTHERS = "planning", "delivery", "celery"
"""The queues. Sources may be slow, so what reads them has a queue of its own. `OTHERS` has all tasks that are short."""
BROKER_SECONDS = 2.0
"""How long a person who starts a run waits for a broker that accepts connections but does not answer."""
QUICK = {
    "socket_timeout": BROKER_SECONDS,
    "socket_connect_timeout": BROKER_SECONDS,
    "retry_on_timeout": False,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}


def enqueue_on_commit(run_id: int) -> None:
    """Queues the run for a worker once the current transaction is committed."""
    transaction.on_commit(lambda: enqueue(run_id))


def enqueue(run_id: int) -> None:
    """Queues the run for a worker. If the broker can't be reached within seconds, the sweep does so later."""
    state = Run.with_previews.filter(pk=run_id).values_list("state", flat=True).first()
    send(EXECUTE, run_id, name=f"Run {run_id}", queue=queue_of(state or ""))


def queue_of(state: str) -> str:
    """PURE. The queue for the next slice of a run in that state."""
    return DELIVERY if state == Run.State.DELIVERING else PLANNING


def send(task: str, *arguments: object, name: str, queue: str = OTHERS) -> None:
    """Queues a task for a worker. If the broker can't be reached within seconds, the sweep does so later.

    Args:
        name: what the task is about, for the log.
    """
    try:
        # A connection of its own: consumers share the usual options, and wait for messages without a time limit.
        with current_app.connection(connect_timeout=BROKER_SECONDS, transport_options=QUICK) as connection:
            current_app.send_task(task, args=list(arguments), queue=queue, connection=connection, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("%s waits for the sweep: the broker can't be reached (%s).", name, type(error).__name__)
