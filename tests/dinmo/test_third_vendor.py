"""A vendor that somebody else wrote is everywhere where the shipped ones are, without a line of code for it."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from activations.models import Run
from destinations.models import Connection
from destinations.sandbox.http_server import Server
from destinations.sandbox.registry import sandboxes
from dinmo.management import checks
from dinmo.management.checks import Level
from dinmo.management.commands import sandbox as sandbox_command
from tests.plugins.registered import registered

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from django.test import Client

    from destinations.sandbox.base import Sandbox

TOKEN = "key-of-nimbus"
WORKSPACE = """
sources:
  - {name: Shop, engine: csv, path: accounts.csv}
models:
  - {name: Accounts, source: Shop, kind: custom, primary_key: email}
connections:
  - {name: Our Nimbus, platform: nimbus, token: "${NIMBUS_KEY}"}
destinations:
  - {name: Nimbus accounts, connection: Our Nimbus, service: nimbus.accounts}
activations:
  - name: Accounts to Nimbus
    model: Accounts
    destination: Nimbus accounts
    mode: upsert
    match: {from: email, to: email}
    fields:
      - {from: name, to: name}
      - {from: tags, to: tags, multi: add}
"""


@pytest.fixture
def nimbus(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The vendor's simulator, with the vendor in the registries."""
    with registered(), Server(sandboxes["nimbus"](TOKEN)) as server:
        monkeypatch.setenv("NIMBUS_API_URL", server.url)
        monkeypatch.setenv("NIMBUS_KEY", TOKEN)
        yield server.sandbox


@pytest.fixture
def applied(nimbus: Sandbox, tmp_path: Path, settings: Any, transactional_db: None) -> Path:
    """The folder of the sources, with a workspace file that has been applied."""
    settings.SOURCE_FILES_ROOT = tmp_path
    rows = [f"person-{number}@acme.com,Person {number},new" for number in range(1, 31)]
    (tmp_path / "accounts.csv").write_text("\n".join(["email,name,tags", *rows, "broken,Nobody,new"]))
    (tmp_path / "workspace.yaml").write_text(WORKSPACE)
    call_command("apply", str(tmp_path / "workspace.yaml"), stdout=StringIO())
    return tmp_path


def test_records_are_synchronized_in_batches(applied: Path, nimbus: Sandbox) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("activate", "Accounts to Nimbus", "--wait", stdout=StringIO())
    run = Run.objects.get()
    assert (ended.value.code, run.accepted, run.invalid) == (1, 30, 1)
    assert run.write_requests == 2
    (first, *_others) = nimbus.state()["accounts"]
    assert (first["email"], first["tags"]) == ("person-1@acme.com", ["new"])


def test_export_can_be_applied_again(applied: Path) -> None:
    exported = StringIO()
    call_command("export", stdout=exported)
    assert "service: nimbus.accounts" in exported.getvalue()
    (applied / "exported.yaml").write_text(exported.getvalue())
    output = StringIO()
    call_command("apply", str(applied / "exported.yaml"), "--dry-run", stdout=output)
    assert "Nimbus" not in output.getvalue()


def test_doctor_checks_its_connection(applied: Path) -> None:
    (finding,) = checks.connections(timezone.now(), live=True)
    assert finding.level == Level.OK
    assert Connection.objects.get().workspace_name == "Nimbus sandbox"


def test_start_page_and_forms_offer_it(nimbus: Sandbox, admin_client: Client) -> None:
    assert "Nimbus" in admin_client.get("/admin/start/").content.decode()
    assert "Nimbus" in admin_client.get("/admin/destinations/connection/add/").content.decode()
    page = admin_client.get("/admin/destinations/connection/add/?platform=nimbus").content.decode()
    assert "Connect Nimbus" in page
    assert "In Nimbus: Keys, New key." in page


def test_sandbox_command_serves_its_simulator(nimbus: Sandbox) -> None:
    options = sandbox_command.Command().create_parser("manage.py", "sandbox").parse_args(["--nimbus-port", "0"])
    assert options.nimbus_port == 0
