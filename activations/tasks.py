"""The Celery tasks: thin, and called with IDs only. A message may be lost, late or duplicated without harm."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from celery.signals import worker_init, worker_shutting_down
from django.conf import settings
from django.utils import timezone

from activations import execute as execution
from activations.alerts import outbox, sending, watch
from activations.guards import decide
from activations.pauses import act as pauses
from activations.pauses import check
from activations.runs import dispatch, lease, outages, retention, stopping
from activations.scheduling import settle
from destinations.registry import platforms, services
from segments.registry import engines

CHECK = "activations.tasks.check_pause"


@worker_init.connect
def load(**_signal: object) -> None:
    """Loads every plug-in before the worker forks, instead of once in the first run of each of its processes."""
    for registry in (platforms, services, engines):
        assert registry.all


@worker_shutting_down.connect
def hand_over(**_signal: object) -> None:
    """On SIGTERM: runs are handed to other workers immediately, and nothing that was sent is left unrecorded."""
    stopping.request()


@shared_task
def execute(run_id: int) -> None:
    """Works on a run for one slice of time. If work is left, the run goes to the back of its queue."""
    if execution.execute(run_id):
        dispatch.enqueue(run_id)


@shared_task
def fire(schedule_id: int) -> None:
    """Settles the slots of a schedule that are due. If the message is lost or late, the sweep does so."""
    settle.settle(schedule_id, timezone.now())


@shared_task
def sweep() -> None:
    """Enqueues runs that a dead worker or a lost message left behind, settles slots, and continues after outages."""
    retention.delete_dead_previews()
    for run_id in lease.abandoned():
        dispatch.enqueue(run_id)
    settle.settle_all(timezone.now())
    settle.start_follow_ups(timezone.now())
    outages.continue_later(timezone.now())
    pauses.pause_changed(timezone.now())
    for culprit in check.claim_due(timezone.now()):
        dispatch.send(CHECK, *culprit, name=f"The check of {culprit.cause} {culprit.pk}")


@shared_task(name=CHECK)
def check_pause(cause: str, pk: int) -> None:
    """Checks what the system paused activations for, and resumes them if it works."""
    check.check(check.Culprit(cause, pk), timezone.now())


@shared_task
def send_alerts() -> None:
    """Sends the alerts that are due. Not part of the sweep: a mail server that does not answer must not delay runs."""
    now = timezone.now()
    watch.look(now)
    outbox.collect(now)
    sending.send(now)


@shared_task
def prune() -> None:
    """Deletes the changes of old runs, old alerts and slots, and discards plans that nobody has decided about."""
    now = timezone.now()
    decide.discard_expired(now)
    retention.prune(now)
    settle.prune(now)
    outbox.prune(now - timedelta(days=settings.RETENTION_DAYS))
