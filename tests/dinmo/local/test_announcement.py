"""What `make up` prints, and the logs that it keeps instead of printing them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from dinmo.local.announcement import Simulated, lines
from dinmo.local.login import Login
from dinmo.local.logs import LARGEST_BYTES, RECENT_LINES, Logs

URL = "http://127.0.0.1:8000/"
CRASH = """
import sys
from pathlib import Path
from dinmo.local.logs import Logs
from dinmo.local.supervisor import Program, Supervisor
import os, signal
seen = []
def write(line):
    seen.append(line)
    print(line, flush=True)
    if "All of it is in" in line:
        os.kill(os.getpid(), signal.SIGTERM)
shell = ("/bin/sh", "-c", "echo starting; echo it broke; exit 3")
Supervisor([Program("worker", shell)], dict(os.environ), write, lambda: None, Logs(Path(sys.argv[1]))).run()
"""


def text(**changes: object) -> str:
    arguments = {"login": None, "simulators": [], "shown": False, **changes}
    listed = lines(URL, programs=["web", "worker"], token="t0ken", logs=Path("/var/logs"), **arguments)  # type: ignore[arg-type]
    return "\n".join(listed)


def test_first_login_is_printed_once_with_its_password() -> None:
    assert "admin" in text(login=Login("admin", "pass-word"))
    assert "pass-word" in text(login=Login("admin", "pass-word"))
    assert "changepassword" in text()


def test_every_simulator_is_listed_with_its_page_and_whether_it_is_used() -> None:
    used = Simulated("Attio", "http://127.0.0.1:8081", "ATTIO_API_URL", used=True)
    unused = Simulated("Intercom", "http://127.0.0.1:8082", "INTERCOM_API_URL", used=False)
    printed = text(simulators=[used, unused])
    assert "http://127.0.0.1:8081/_sandbox\n" in printed
    assert "not used, because INTERCOM_API_URL is set" in printed
    assert "t0ken" in printed
    assert "t0ken" not in text()


def test_screen_says_how_to_see_the_logs() -> None:
    assert "make up LOGS=1" in text()
    assert "make up LOGS=1" not in text(shown=True)


def test_program_that_exits_is_shown_with_its_last_lines(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CRASH, str(tmp_path)]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert "worker exited with code 3" in printed
    assert "worker | it broke" in printed
    assert str(tmp_path / "worker.log") in printed
    assert (tmp_path / "worker.log").read_text().startswith("starting\nit broke\n")


def test_logs_are_private_bounded_and_remember_the_last_lines(tmp_path: Path) -> None:
    (tmp_path / "web.log").write_text("x" * (LARGEST_BYTES + 1))
    logs = Logs(tmp_path)
    for number in range(RECENT_LINES + 5):
        logs.add("web", f"line {number}")
    assert logs.path("web").stat().st_size < 1_000
    assert logs.path("web").stat().st_mode & 0o077 == 0
    assert logs.recent("web")[0] == "line 5"
    assert logs.recent("beat") == []
