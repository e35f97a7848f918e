"""Tells the demonstration: apply, run, change the source, run again, and show what was sent."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from activations.models import Activation, Change, Run
from activations.runs import requests
from destinations.registry import platforms
from destinations.sandbox.http_server import Server
from destinations.sandbox.registry import sandboxes
from destinations.sandbox.wire import Request
from dinmo.demo import data
from dinmo.local import broker, programs
from dinmo.local.processes import spawn, stop

WORKSPACE = Path(__file__).with_name("workspace.yaml")
TOKEN_VARIABLES = {"attio": "ATTIO_TOKEN", "intercom": "INTERCOM_TOKEN"}
KNOWN_TO_INTERCOM = 1_500
LOOK_SECONDS = 0.2
LONGEST_SECONDS = 120
WORKER_SECONDS = 8
COLUMNS = {
    "rows": "rows", "new": "new", "known": "changed", "unchanged": "unchanged", "accepted": "accepted", "created": "created",
    "skipped": "skipped", "invalid": "invalid", "rejected": "rejected", "left": "left", "lookup_requests": "look-ups",
    "write_requests": "writes",
}  # fmt: skip

Say = Callable[[str], None]


def tell(environment: dict[str, str], ports: dict[str, int], say: Say) -> bool:
    """Runs the whole demonstration; whether everything went as it should.

    Args:
        environment: of the worker process.
        ports: where each platform's simulator listens.
    """
    path = data.write(settings.SOURCE_FILES_ROOT)
    say(
        f"Wrote {data.COUNT} companies to {path.relative_to(settings.BASE_DIR) if path.is_relative_to(settings.BASE_DIR) else path}."
    )
    call_command("migrate", interactive=False, verbosity=0)
    with _runtime(environment, ports):
        say(
            f"Broker, worker and the simulators of {', '.join(platform.label for platform in platforms.all.values())} are running.\n"
        )
        call_command("apply", str(WORKSPACE))
        rounds = [_round("First run", say)]
        data.change(path)
        say("\nThe source changes: 25 descriptions, 10 plans, 3 new companies, some stop paying.")
        rounds.append(_round("After the change", say))
        rounds.append(_round("Once more, unchanged", say))
    say("\n" + table(rounds))
    say("\n" + details(rounds))
    return all(
        run.state in (Run.State.SUCCEEDED, Run.State.COMPLETED_WITH_WARNINGS) for _, done in rounds for run in done
    )


def table(rounds: list[tuple[str, list[Run]]]) -> str:
    """The counts of every run, side by side."""
    head = ["", *COLUMNS.values()]
    lines = [head]
    for title, done in rounds:
        lines.append([title] + [""] * len(COLUMNS))
        lines += [[f"  {run.activation.name}", *(str(getattr(run, name)) for name in COLUMNS)] for run in done]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(_aligned(line, widths) for line in lines)


def details(rounds: list[tuple[str, list[Run]]]) -> str:
    """Which fields were sent, and why records were not."""
    lines = []
    for title, done in rounds:
        for run in done:
            lines += [f"{title} · {run.activation.name}: {line}" for line in _facts(run)]
    return "\n".join(lines)


def _facts(run: Run) -> Iterator[str]:
    accepted = run.changes.filter(outcome=Change.Outcome.ACCEPTED, is_new=False)
    fields = Counter(", ".join(sorted(changed)) for changed in accepted.values_list("changed", flat=True))
    for names, number in fields.most_common(4):
        yield f"{number} updated, holding only {names}"
    others = run.changes.exclude(outcome=Change.Outcome.ACCEPTED).values_list("outcome", "code", "message")
    grouped: dict[tuple[str, str], list[str]] = {}
    for outcome, code, message in others:
        grouped.setdefault((outcome, code), []).append(message)
    for (outcome, code), messages in sorted(grouped.items()):
        yield f"{len(messages)} {outcome} ({code}), e.g. {messages[0]}"


def _round(title: str, say: Say) -> tuple[str, list[Run]]:
    say(f"\n{title} …")
    done = []
    for activation in Activation.objects.order_by("pk"):
        begun = time.monotonic()
        run = _await(requests.request(activation, Run.Trigger.MANUAL))
        say(f"  {activation.name}: {run.get_state_display().lower()} in {time.monotonic() - begun:.1f} s")
        done.append(run)
    return title, done


def _await(run: Run) -> Run:
    deadline = time.monotonic() + LONGEST_SECONDS
    while run.is_live and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
        run.refresh_from_db()
    return run


@contextmanager
def _runtime(environment: dict[str, str], ports: dict[str, int]) -> Iterator[None]:
    with ExitStack() as stack:
        for slug, port in ports.items():
            server = stack.enter_context(Server(sandboxes[slug](environment[TOKEN_VARIABLES[slug]]), port))
            if slug == "intercom":
                _fill_intercom(server, environment[TOKEN_VARIABLES[slug]])
        stack.enter_context(broker.running(settings.VAR_DIR, {}))
        log = stack.enter_context((settings.VAR_DIR / "worker.log").open("ab"))
        worker = spawn(programs.worker().command, environment, log)
        stack.callback(stop, worker, WORKER_SECONDS)
        yield


def _fill_intercom(server: Server, token: str) -> None:
    """Intercom knows most of the companies already, as it does where a team has used it for a while."""
    for number in range(1, KNOWN_TO_INTERCOM + 1):
        body = f'{{"company_id": "{number}", "name": "Company {number}"}}'.encode()
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json", "accept": "application/json"}
        server.sandbox.switches["rate_limit_per_window"] = 0
        server.sandbox.handle(Request("POST", "/companies", {}, headers, body))
    server.sandbox.switches.pop("rate_limit_per_window")
    server.sandbox.log.clear()


def _aligned(line: list[str], widths: list[int]) -> str:
    first, *rest = zip(line, widths, strict=True)
    return "  ".join([first[0].ljust(first[1]), *(text.rjust(width) for text, width in rest)]).rstrip()
