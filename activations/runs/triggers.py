"""Starts runs for programs: what they may start, and the same run for the same idempotency key."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import IntegrityError, transaction

from activations.models import Activation, Run, TriggerRequest
from activations.runs import requests
from activations.setup import holds
from core.errors import Misconfigured, Problem

LONGEST_KEY = 200


class NotNow(Problem):
    """The activation starts no run in its present state. Somebody has to change that first."""


@dataclass(frozen=True)
class Triggered:
    """The run that a program gets.

    Args:
        repeated: it was requested with the same idempotency key before.
        joined: it was in progress already, and may have read the source before this request.
    """

    run: Run
    repeated: bool = False
    joined: bool = False


def start(activation: Activation, *, full: bool = False, key: str = "") -> Triggered:
    """Starts a run, or returns the one in progress.

    Args:
        full: send every mapped field of every record again.
        key: the idempotency key of the request; "" if it has none.

    Raises:
        Misconfigured: the key can't be stored.
        NotNow: the activation is a draft or paused, or a run waits for approval.
    """
    if not key:
        return _start(activation, full)
    if len(key) > LONGEST_KEY or not key.isascii() or not key.isprintable():
        message = f"Send an Idempotency-Key of at most {LONGEST_KEY} printable ASCII characters."
        raise Misconfigured("idempotency_key", message)
    try:
        with transaction.atomic():
            return _start_once(activation, full, key)
    except IntegrityError:
        # A request with this key came first. Its transaction has ended, or ours would still wait.
        return _repeated(activation, key)


def _start_once(activation: Activation, full: bool, key: str) -> Triggered:
    if TriggerRequest.objects.filter(activation=activation, key=key).exists():
        return _repeated(activation, key)
    request = TriggerRequest.objects.create(activation=activation, key=key)
    triggered = _start(activation, full)
    TriggerRequest.objects.filter(pk=request.pk).update(run=triggered.run)
    return triggered


def _repeated(activation: Activation, key: str) -> Triggered:
    earlier = TriggerRequest.objects.select_related("run").get(activation=activation, key=key)
    assert earlier.run
    return Triggered(earlier.run, repeated=True)


@transaction.atomic
def _start(activation: Activation, full: bool) -> Triggered:
    refuse_unless_ready(activation)
    live = requests.live_run(activation)
    if live and live.is_partial:
        raise NotNow(
            "run_is_test",
            "A test with one record, or a run that restores, is in progress. Send the request again once it has ended.",
        )
    run = requests.request(activation, Run.Trigger.TOKEN, full=full)
    joined = live is not None and live.pk == run.pk
    if joined and run.state != Run.State.QUEUED and activation.overlap == Activation.Overlap.QUEUE:
        Run.objects.filter(pk=run.pk, state__in=Run.LIVE).update(follow_up=True)
    return Triggered(run, joined=joined)


def refuse_unless_ready(activation: Activation) -> None:
    """Raises NotNow if programs can't start runs of this activation in its present state."""
    if activation.is_draft:
        raise NotNow("activation_draft", "The activation is a draft. Start it once in DinMo, then from outside.")
    if activation.paused:
        raise NotNow("activation_paused", "A person paused the activation. Resume it in DinMo.")
    if pause := holds.system_pause(activation):
        raise NotNow("activation_paused_by_system", f"The activation is paused by the system. {holds.words(pause)}")
    if Run.objects.filter(activation=activation, state=Run.State.HELD).exists():
        raise NotNow("run_held", "A run waits for approval. Approve or discard it in DinMo.")
