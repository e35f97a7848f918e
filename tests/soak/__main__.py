"""`make soak`, or `python -m tests.soak`: runs an installation under load, faults and kills for half an hour."""

from __future__ import annotations

import os
import sys

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.chaos.settings"
django.setup()

from tests.soak.command import Command  # noqa: E402

if __name__ == "__main__":
    Command().run_from_argv(["-m", "tests.soak", *sys.argv[1:]])
