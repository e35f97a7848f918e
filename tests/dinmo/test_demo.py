"""The demo, with every vendor that takes part: those that are shipped, and one that somebody else wrote."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from dinmo.demo import workspace
from tests.plugins.registered import FOLDER, registered

FILE = Path(workspace.__file__).with_name("workspace.yaml")


def test_workspace_file_is_the_generated_one() -> None:
    assert FILE.read_text() == workspace.text()


def test_third_vendor_gets_a_connection_and_an_activation() -> None:
    with registered():
        text = workspace.text()
    assert "platform: nimbus" in text
    assert "token: ${NIMBUS_TOKEN}" in text
    assert "name: Companies to Nimbus" in text


@pytest.mark.slow
def test_demo_runs_to_the_end_with_a_third_vendor() -> None:
    paths = (str(settings.BASE_DIR), str(FOLDER / "startup"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DEMO_", "DJANGO_"))}
    done = subprocess.run(
        [sys.executable, "manage.py", "demo"],
        cwd=settings.BASE_DIR,
        env={**environment, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "simulators of Attio, Intercom, Nimbus are running" in done.stdout
    first, changed, unchanged = re.findall(r"^  Companies to Nimbus +(.*)$", done.stdout, re.MULTILINE)
    assert first.split()[:2] == ["2000", "2000"]
    assert int(changed.split()[-1]) < 10, "Batches carry 20 records each."
    assert unchanged.split()[-1] == "0"
