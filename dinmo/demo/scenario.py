"""The steps of the demo: apply, run, change the source, run again, and print what was sent."""

from __future__ import annotations

import copy
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.management import call_command

from activations.models import Activation, Change, Run
from activations.runs import requests
from destinations.registry import platforms, services
from destinations.sandbox.http_server import Server
from destinations.sandbox.registry import sandboxes
from dinmo.demo import data, workspace
from dinmo.local import broker, programs
from dinmo.local.processes import spawn, stop

if TYPE_CHECKING:
    from destinations.sandbox.base import Sandbox

WORKSPACE_FILE = "demo-workspace.yaml"
TOKEN = "demo-token"  # noqa: S105
POLL_SECONDS = 0.2
RUN_TIMEOUT_SECONDS = 120
WORKER_GRACE_SECONDS = 8
COLUMNS = {
    "rows": "rows",
    "new": "new",
    "known": "changed",
    "unchanged": "unchanged",
    "accepted": "accepted",
    "matched": "already there",
    "created": "created",
    "skipped": "skipped",
    "invalid": "invalid",
    "rejected": "rejected",
    "left": "left",
    "lookup_requests": "lookups",
    "write_requests": "writes",
}

Write = Callable[[str], None]


def run_demo(environment: dict[str, str], ports: dict[str, int], write: Write) -> bool:
    """Runs the whole demo and returns whether every run completed.

    Args:
        environment: of the worker process.
        ports: the port of each platform's simulator.
    """
    path = data.write(settings.SOURCE_FILES_ROOT)
    shown = path.relative_to(settings.BASE_DIR) if path.is_relative_to(settings.BASE_DIR) else path
    write(f"Wrote {data.COUNT} companies to {shown}.")
    call_command("migrate", interactive=False, verbosity=0)
    with _runtime(environment, ports):
        labels = ", ".join(platform.label for platform in platforms.all.values())
        write(f"The broker, the worker and the simulators of {labels} are running.\n")
        file = settings.VAR_DIR / WORKSPACE_FILE
        file.write_text(workspace.text(), encoding="utf-8")
        call_command("apply", str(file))
        rounds = [_run_all("First run", write)]
        data.apply_changes(path)
        write("\nThe source changes: 25 descriptions, 10 plans, 3 new companies, and some companies stop paying.")
        rounds.append(_run_all("After the change", write))
        rounds.append(_run_all("Again, without changes", write))
    write("\n" + table(rounds))
    write("\n" + details(rounds))
    completed = (Run.State.SUCCEEDED, Run.State.COMPLETED_WITH_WARNINGS)
    return all(run.state in completed for _, runs in rounds for run in runs)


def table(rounds: list[tuple[str, list[Run]]]) -> str:
    """The counts of every run, one row for each."""
    head = ["", *COLUMNS.values()]
    lines = [head]
    for title, runs in rounds:
        lines.append([title] + [""] * len(COLUMNS))
        lines += [[f"  {run.activation.name}", *(str(getattr(run, name)) for name in COLUMNS)] for run in runs]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(_aligned(line, widths) for line in lines)


def details(rounds: list[tuple[str, list[Run]]]) -> str:
    """Which fields were sent, and why some records were not."""
    lines = []
    for title, runs in rounds:
        for run in runs:
            lines += [f"{title} · {run.activation.name}: {line}" for line in _details(run)]
    return "\n".join(lines)


def _details(run: Run) -> Iterator[str]:
    accepted = run.changes.filter(outcome=Change.Outcome.ACCEPTED, is_new=False)
    fields = Counter(", ".join(sorted(changed)) for changed in accepted.values_list("changed", flat=True))
    for names, number in fields.most_common(4):
        yield f"{number} updated, sending only {names}"
    left = run.changes.exclude(outcome=Change.Outcome.ACCEPTED).exclude(outcome=Change.Outcome.MATCHED, code="")
    others = left.values_list("outcome", "code", "message")
    grouped: dict[tuple[str, str], list[str]] = {}
    for outcome, code, message in others:
        grouped.setdefault((outcome, code), []).append(message)
    for (outcome, code), messages in sorted(grouped.items()):
        yield f"{len(messages)} {outcome} ({code}), e.g. {messages[0]}"


def _run_all(title: str, write: Write) -> tuple[str, list[Run]]:
    write(f"\n{title} …")
    runs = []
    for activation in Activation.objects.order_by("pk"):
        started_at = time.monotonic()
        run = _await(requests.request(activation, Run.Trigger.MANUAL))
        write(f"  {activation.name}: {run.get_state_display().lower()} in {time.monotonic() - started_at:.1f} s")
        runs.append(run)
    return title, runs


def _await(run: Run) -> Run:
    deadline = time.monotonic() + RUN_TIMEOUT_SECONDS
    while run.is_live and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        run.refresh_from_db()
    return run


@contextmanager
def _runtime(environment: dict[str, str], ports: dict[str, int]) -> Iterator[None]:
    with ExitStack() as stack:
        for slug, port in ports.items():
            stack.enter_context(Server(_simulator(slug), port))
        stack.enter_context(broker.running(settings.VAR_DIR, {}))
        log = stack.enter_context((settings.VAR_DIR / "worker.log").open("ab"))
        worker = spawn(programs.worker().command, environment, log)
        stack.callback(stop, worker, WORKER_GRACE_SECONDS)
        yield


def _simulator(slug: str) -> Sandbox:
    """A simulator with the records that the demo expects there."""
    sandbox = sandboxes[slug](TOKEN)
    for sample in workspace.demos():
        if sample.demo and services[sample.slug].platform.slug == slug:
            sandbox._switch(copy.deepcopy({**sample.demo.arrange}))
    return sandbox


def _aligned(line: list[str], widths: list[int]) -> str:
    first, *rest = zip(line, widths, strict=True)
    return "  ".join([first[0].ljust(first[1]), *(text.rjust(width) for text, width in rest)]).rstrip()
