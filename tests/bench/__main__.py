"""`make bench`, or `python -m tests.bench`: measures planning, delivery and reading, and prints ratios."""

from __future__ import annotations

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dinmo.settings")
django.setup()

from tests.bench.command import Command  # noqa: E402

if __name__ == "__main__":
    Command().run_from_argv(["-m", "tests.bench", *sys.argv[1:]])
