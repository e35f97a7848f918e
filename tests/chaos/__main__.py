"""`make chaos`, or `python -m tests.chaos`: proves that no kill loses, duplicates or invents a record."""

from __future__ import annotations

import os
import sys

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.chaos.settings"
django.setup()

from tests.chaos.command import Command  # noqa: E402

if __name__ == "__main__":
    Command().run_from_argv(["-m", "tests.chaos", *sys.argv[1:]])
