"""Runs activations one after the other, without rate limits: `python -m tests.soak.fill NAME …`."""

from __future__ import annotations

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.chaos.settings")
django.setup()

from tests.bench.cases import activate  # noqa: E402

if __name__ == "__main__":
    for name in sys.argv[1:]:
        activate(name, unlimited=True)
