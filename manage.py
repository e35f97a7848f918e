#!/usr/bin/env python
"""Runs Django's commands and ours."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dinmo.settings")
    from django.core.management import execute_from_command_line

    from core.audit import acting_as
    from core.commands import actor

    with acting_as(actor("".join(sys.argv[1:2]))):
        execute_from_command_line(sys.argv)
