"""Sets the stage, lets the story run, and proves what must hold."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from activations.models import Activation, Change, Run
from activations.runs.lease import TAKEN_OVER
from destinations.sandbox.http_server import Server
from destinations.sandbox.registry import sandboxes
from dinmo.local.machine import exclusive_runtime
from tests.chaos import postgres, proof, repeats, report
from tests.chaos.processes import Installation
from tests.chaos.source import MOST, Shop
from tests.chaos.story import Kill, Story, environment
from tests.chaos.weather import Weather

WORKSPACE = Path(__file__).with_name("workspace.yaml")
UNKNOWN_EVERY = 10
SHOWN = 40
_TAKEN_OVER = re.compile(rf"(\S+ \S+) WARNING \S+ Run (\d+) {TAKEN_OVER}")

Say = Callable[[str], None]


def run(
    inherited: dict[str, str],
    ports: dict[str, int],
    kills: int,
    seed: int,
    seconds: float,
    database_port: int,
    say: Say,
) -> bool:
    """The whole proof on one database; whether everything held.

    Args:
        ports: where each platform's simulator listens.
        seconds: how long the killing may take.
        database_port: of a throw-away PostgreSQL; 0 for SQLite.
    """
    begun = time.monotonic()
    with _stage(inherited, ports, seed, database_port, say) as story:
        story.kill(kills, seconds)
        say(f"  {len(story.kills)} kills are done; the source is mended, and all runs end …")
        story.settle()
        again = story.settle()
        story.installation.keep()
        title = f"{'PostgreSQL' if database_port else 'SQLite'}, seed {seed}"
        broken = list(_judged(story, kills, again, title, time.monotonic() - begun, say))
    for sentence in islice(broken, SHOWN):
        say(f"  BROKEN: {sentence}")
    if len(broken) > SHOWN:
        say(f"  … and {len(broken) - SHOWN} more.")
    return not broken


def known_accounts() -> list[str]:
    """The company ids that Intercom has from the start; the others are skipped by the update."""
    return [f"app-{number}" for number in range(1, MOST + 1) if number % UNKNOWN_EVERY]


def lapses(home: Path) -> list[Kill]:
    """When workers took over runs whose lease had ended, by their logs."""
    names = dict(Run.objects.values_list("pk", "activation__name"))
    lines = [line for log in home.glob("worker-*.log") for line in log.read_text(errors="replace").splitlines()]
    found = [one for one in map(_TAKEN_OVER.match, lines) if one]
    return [Kill(_moment(one[1]), repeats.LAPSE, "", frozenset({names.get(int(one[2]), "")})) for one in found]


def _moment(logged: str) -> float:
    return datetime.strptime(logged, "%Y-%m-%d %H:%M:%S,%f").astimezone().timestamp()


def _judged(story: Story, wanted: int, again: list[Run], title: str, seconds: float, say: Say) -> Iterator[str]:
    attio, intercom = (story.weathers[name].sandbox.state() for name in ("attio", "intercom"))
    writes = [write for weather in story.weathers.values() for write in weather.writes]
    changes = Change.objects.select_related("run__activation")
    attempts = list(repeats.by_change(writes, changes, repeats.places(attio, intercom)))
    failures = [failure for weather in story.weathers.values() for failure in weather.failures]
    found = repeats.explain(attempts, story.kills, lapses(settings.VAR_DIR), failures)
    longest = {name: weather.longest_seconds for name, weather in story.weathers.items()}
    most = {
        name: proof.permits(name, longest) for name in Activation.objects.order_by("pk").values_list("name", flat=True)
    }
    say(report.table(title, story.kills, found, story.weathers, most, seconds))
    if len(story.kills) < wanted:
        yield f"Only {len(story.kills)} of {wanted} kills fitted into the time."
    yield from proof.equal(story.shop.live.values(), attio, intercom, set(known_accounts()))
    yield from proof.once(attio, intercom)
    yield from proof.closed()
    yield from proof.kept(attempts)
    yield from proof.bounded(found, longest)
    yield from proof.quiet(again)


@contextmanager
def _stage(
    inherited: dict[str, str], ports: dict[str, int], seed: int, database_port: int, say: Say
) -> Iterator[Story]:
    home = settings.VAR_DIR
    order = home / "kill_at"
    with ExitStack() as stack:
        stack.enter_context(exclusive_runtime(home))
        cluster = stack.enter_context(postgres.cluster(database_port)) if database_port else None
        weathers = {
            slug: stack.enter_context(_served(slug, port, inherited["CHAOS_TOKEN"], seed))
            for slug, port in ports.items()
        }
        weathers["intercom"].sandbox._switch({"companies": [{"company_id": account} for account in known_accounts()]})
        shop = Shop(home / "shop.sqlite3", seed)
        installation = Installation(home, environment(inherited, order), cluster)
        stack.callback(installation.stop)
        call_command("migrate", interactive=False, verbosity=0)
        installation.keep()
        call_command("apply", str(WORKSPACE), verbosity=0)
        yield Story(installation, shop, weathers, random.Random(seed), order, say)


@contextmanager
def _served(slug: str, port: int, token: str, seed: int) -> Iterator[Weather]:
    weather = Weather(sandboxes[slug](token), random.Random(f"{slug} {seed}"))
    with Server(weather.sandbox, port, weather.handle) as server:
        # Clients that are killed hang up; that is no error worth a traceback.
        server.http.handle_error = lambda request, client_address: None  # type: ignore[method-assign]
        yield weather
