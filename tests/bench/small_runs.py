"""`python -m tests.bench.small_runs`: what a run costs if few rows have to be read and none has to be sent."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dinmo.settings")
django.setup()

from dinmo.local.machine import free_port  # noqa: E402
from tests.bench import delivery  # noqa: E402
from tests.bench.setup.home import opened  # noqa: E402
from tests.chaos import postgres  # noqa: E402

ROWS, TIMES = 100, 20


def main() -> None:
    """Prints seconds of CPU and on the clock for each run, for each vendor."""
    for service in delivery.SERVICES:
        port = free_port()
        with (
            tempfile.TemporaryDirectory() as directory,
            postgres.cluster(port),
            opened(Path(directory), postgres.url(port)) as home,
        ):
            delivery.set_up(home, service.partition(".")[0], 1, ROWS)
            result = home.measure("repeat", name="Activation 0", times=TIMES)
        cpu, wall = (result[name] / TIMES * 1000 for name in ("cpu", "wall"))
        print(
            f"{service}, {ROWS} unchanged rows: {cpu:.0f} ms of CPU, {wall:.0f} ms on the clock, for each run",
            flush=True,
        )


if __name__ == "__main__":
    main()
