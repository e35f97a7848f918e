"""`make scan`: scans a new installation, prints what it found, and fails if anything is of medium severity or more."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import django

django.setup()

from tests.scan import api, attacks, findings, headers  # noqa: E402
from tests.scan.installation import running  # noqa: E402
from tests.scan.site import Browser  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.scan.findings import Finding
    from tests.scan.installation import Installation

CSV = ["/admin/audit/auditentry/csv/"]
PARTS = ["headers", "api", "attacks"]
NAMES = {attack.__name__: attack for attack in attacks.ATTACKS}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.scan", description=__doc__)
    parser.add_argument("--only", choices=[*PARTS, *NAMES], help="one part of the scan, or one attack")
    parser.add_argument("--seconds", type=int, default=120, help="how long the API is tested as each person")
    parser.add_argument("--keep", action="store_true", help="keep the logs, and print where they are")
    chosen = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="dinmo-scan-"))
    tried: Counter[str] = Counter()
    with running(home) as site:
        found = list(scan(site, tried, chosen.only, chosen.seconds))
    print(*findings.report(found, tried), sep="\n")
    if chosen.keep:
        print(f"Logs: {home}")
    return int(findings.fails(found))


def scan(site: Installation, tried: Counter[str], only: str | None, seconds: int) -> Iterator[Finding]:
    """Everything that one scan finds. Attacks on sign-in come last, because they lock people out."""
    admin, viewer, nobody = (Browser(site.port, tried) for _ in range(3))
    for browser, name in ((admin, "admin"), (viewer, "viewer")):
        browser.check = "sign-in"
        browser.sign_in(name, site.password)
        if browser.get("/admin/").status != 200:
            raise RuntimeError(f"{name} could not sign in.")
    if only in (None, "headers"):
        _begin("headers", admin, nobody)
        yield from headers.check(admin, nobody, CSV)
    if only in (None, "api"):
        for browser, name in ((viewer, "viewer"), (admin, "admin")):
            _begin(f"API as {name}", browser)
            yield from api.check(site.home, browser, name, seconds)
    for name, attack in NAMES.items():
        if only in (None, "attacks", name):
            _begin(name.replace("_", " "), admin, viewer, nobody)
            nobody.cookies.clear()
            yield from attack(site, admin, viewer, nobody)


def _begin(check: str, *browsers: Browser) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {check}", flush=True)
    for browser in browsers:
        browser.check = check


if __name__ == "__main__":
    sys.exit(main())
