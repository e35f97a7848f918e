"""The process of one case: `python -m tests.bench.child CASE {options}` prints its measurements as JSON."""

from __future__ import annotations

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dinmo.settings")
django.setup()

from tests.bench.cases import CASES  # noqa: E402

if __name__ == "__main__":
    name, options = sys.argv[1], json.loads(sys.argv[2])
    print(json.dumps(CASES[name](**options)))
