"""`manage.py activate NAME`: runs an activation. With --wait, the exit code reports how the run ended."""

from __future__ import annotations

import getpass
import json
import sys
import time
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone

from activations.alerts import sending
from activations.alerts.rules import closed_by, warnings_of
from activations.alerts.state import beat_stopped, state_of
from activations.alerts.words import run_words
from activations.execute import execute
from activations.guards import decide
from activations.models import Activation, Run
from activations.runs import outages, requests
from activations.screens.api import error_json
from activations.screens.review import comparison
from activations.screens.run.causes import causes
from activations.setup import mapping_diff
from core.audit import recording
from core.commands import ScriptedCommand
from core.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.core.management.base import CommandParser

EXIT_CODES = {
    Run.State.SUCCEEDED: 0,
    Run.State.PLANNED: 0,
    Run.State.COMPLETED_WITH_WARNINGS: 1,
    Run.State.FAILED: 2,
    Run.State.HELD: 3,
    Run.State.CANCELLED: 4,
}
LOOK_SECONDS = 0.5


class Command(ScriptedCommand):
    """Queues a run for the workers, or executes it in this process with --wait."""

    help = (
        "Runs an activation. Exit codes with --wait: 0 succeeded, 1 completed with warnings, 2 failed, 3 waits for "
        "approval, 4 cancelled. Exit code 64: incorrect usage or configuration."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the activation's name")
        parser.add_argument("--full", action="store_true", help="send every mapped field of every record again")
        parser.add_argument(
            "--start-afresh",
            action="store_true",
            help="agree to reset the sync history if the key, the match or anything that identifies records changed",
        )
        parser.add_argument("--dry-run", action="store_true", help="only plan the run; nothing is sent")
        parser.add_argument(
            "--live",
            action="store_true",
            help="with --dry-run: compare with the records at the destination, in this process, and print what a run "
            "would do",
        )
        part = parser.add_mutually_exclusive_group()
        part.add_argument("--only", metavar="KEY", default="", help="send only the record with this key, as a test")
        part.add_argument(
            "--retry",
            action="store_true",
            help="also send now what the latest run could not send: records that were rejected, could not be sent as "
            "they were, or whose outcome is unknown",
        )
        part.add_argument("--approve", action="store_true", help="send the plan of the run that waits for approval")
        part.add_argument("--discard", action="store_true", help="discard the plan of the run that waits for approval")
        parser.add_argument(
            "--wait", action="store_true", help="execute the run in this process, and wait until it has ended"
        )
        parser.add_argument("--json", action="store_true", help="print the run as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        activation = Activation.objects.filter(name=options["name"]).first()
        if activation is None:
            names = ", ".join(repr(name) for name in Activation.objects.values_list("name", flat=True)) or "none"
            self.refuse(f"There is no activation named {options['name']!r}. Existing activations: {names}.")
        if options["live"] and not options["dry_run"]:
            self.refuse("--live belongs to --dry-run: it compares with the destination, and sends nothing.")
        waits = options["wait"] or options["live"]
        decides = options["approve"] or options["discard"]
        if decides and (options["full"] or options["dry_run"] or options["start_afresh"]):
            self.refuse("--approve and --discard decide about the run that is held. They start no other run.")
        if options["start_afresh"]:
            with recording(activation):
                Activation.objects.filter(pk=activation.pk).update(start_afresh=True)
        if notice := mapping_diff.mapping_change(activation):
            self.stderr.write(notice)
        if options["retry"]:
            self._make_due(activation)
        if decides:
            run = self._decide(activation, options)
        else:
            chosen = {name: options[name] for name in ("full", "dry_run", "live")}
            run = self._run(activation, options["only"], waits, **chosen)
        self.stdout.write(json.dumps(summary(run), indent=2) if options["json"] else sentence(run))
        if waits or run.state == Run.State.HELD:
            sys.exit(EXIT_CODES[Run.State(run.state)])

    def _make_due(self, activation: Activation) -> None:
        latest = outages.latest_run(activation)
        records = requests.make_due(latest) if latest else 0
        self.stderr.write(f"{records:,} records that could not be sent are due now.")

    def _decide(self, activation: Activation, options: Mapping[str, Any]) -> Run:
        """The run that was held. Without --wait, a worker delivers an approved plan. Discarding takes no worker."""
        run = requests.held_run(activation)
        if run is None:
            self.refuse(f"No run of {activation.name!r} waits for approval.")
        here = options["wait"] or options["discard"]
        try:
            (decide.approve if options["approve"] else decide.discard)(run, user_of_shell(), enqueue=not here)
        except Misconfigured as problem:
            self.refuse(problem.message)
        return wait(run) if here else Run.objects.get(pk=run.pk)

    def _run(
        self, activation: Activation, only_key: str, wait_for_end: bool, *, full: bool, dry_run: bool, live: bool
    ) -> Run:
        """The requested run. A live run counts as it, unless a full run or other records were requested."""
        while True:
            joined = None if dry_run else requests.live_run(activation)
            try:
                run = requests.request(
                    activation,
                    Run.Trigger.CLI,
                    full=full,
                    dry_run=dry_run,
                    live=live,
                    enqueue=not wait_for_end,
                    only_key=only_key,
                )
            except requests.Held as held:
                self.stderr.write(f"{held.message} To decide, add --approve or --discard.")
                return held.run
            if joined:
                waiting = " Waiting for it to end." if wait_for_end else ""
                self.stderr.write(f"Run {run.number} of this activation is already live.{waiting}")
            if wait_for_end:
                run = wait(run)
            if not wait_for_end or (
                run.only_key == only_key and run.only_fields is None and (not full or run.kind == Run.Kind.FULL)
            ):
                return run


def user_of_shell() -> str:
    """Who runs the command, for the record of a decision."""
    try:
        return f"{getpass.getuser()} (command)"
    except (KeyError, OSError, ImportError):
        # A container may have no user of this ID.
        return "A command"


def wait(run: Run) -> Run:
    """Executes the run here until it has ended, or a guard holds it.

    If a worker holds it, waits for that worker, and takes the run over if the worker dies.
    """
    live = Run.objects.filter(pk=run.pk, state__in=Run.LIVE)
    while live.exists():
        if not execute(run.pk) and live.exists():
            time.sleep(LOOK_SECONDS)
    now = timezone.now()
    if beat_stopped(now, settings.RUN_SWEEP_SECONDS):
        # Nothing else would send the alerts about this run.
        sending.send(now, at_once=True)
    return Run.objects.get(pk=run.pk)


def summary(run: Run) -> dict[str, Any]:
    """The run for scripts: IDs, state, every count, requests and warnings, and the state of its activation."""
    state = state_of(run.activation, timezone.now())
    return {
        "run": run.pk,
        "number": run.number,
        "activation": run.activation.name,
        "state": run.state,
        "label": run_words(run),
        "kind": run.kind,
        "reason": run.reason,
        "trigger": run.trigger,
        "dry_run": run.dry_run,
        "compared": run.live,
        "only_key": run.only_key,
        "counts": run.counts(),
        "requests": {name: getattr(run, f"{name}_requests") for name in ("discovery", "lookup", "write")},
        **({**comparison.summary(run), "records": comparison.records(run)} if run.live else {}),
        "hold": run.hold,
        "decision": {"kind": run.decision, "by": run.decided_by} if run.decision else None,
        "error": error_json(run),
        "reasons": [
            {
                "outcome": reason.outcome,
                "code": reason.code,
                "records": reason.records,
                "field": reason.field,
                "example": reason.key,
                "message": reason.message,
                "request_id": reason.request_id,
            }
            for reason in causes(run)
        ],
        "warnings": [{"kind": warning.kind, "message": warning.message} for warning in warnings_of(run)],
        "closed_warnings": [{"kind": warning.kind, "message": warning.message} for warning in closed_by(run)],
        "activation_state": {"state": state.slug, "label": state.label, "causes": list(state.causes)},
    }


def sentence(run: Run) -> str:
    """The same for a person, in a few lines."""
    counts = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in run.counts().items() if number)
    lines = [f"{run.title} of {run.activation.name!r}: {run_words(run)}. {counts or 'No records yet'}."]
    if run.state == Run.State.HELD:
        lines += [*(hold["message"] for hold in run.hold), "Approve the plan with --approve, or discard it: --discard."]
    elif run.dry_run:
        lines += comparison.sentences(run)
        lines += [f"A run would wait for approval: {hold['message']}" for hold in run.hold]
    if run.error_message:
        lines.append(run.error_message)
    lines += [reason.sentence for reason in causes(run)]
    lines += [f"Warning: {warning.message}" for warning in warnings_of(run) if warning.kind != "run_failed"]
    lines += [f"Warning closed by this run: {warning.label}." for warning in closed_by(run)]
    return "\n".join(lines)
