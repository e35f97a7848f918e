"""`apply` says where two activations write the same attribute. It applies the file all the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from ruamel.yaml import YAML

from activations.models import Activation
from destinations.sandbox.http_server import Server
from destinations.sandbox.registry import sandboxes
from dinmo.management import checks
from dinmo.management.commands.doctor import line
from tests.dinmo import shop

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db
CONFLICT = (
    "also writes “name”. If both send the same record, the last run wins. Each writes its value again when it changes "
    "in the source, and in every full sync."
)
SECOND = {
    "name": "Countries to Attio",
    "model": "Companies",
    "destination": "Attio companies",
    "match": {"from": "domain", "to": "domains"},
    "fields": [{"from": "country", "to": "name"}],
}


@pytest.fixture(autouse=True)
def _installation(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SOURCE_FILES_ROOT = tmp_path
    shop.make(tmp_path)
    for name, value in shop.SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def apply(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def applied(document: dict[str, Any], *options: str) -> list[str]:
        path = tmp_path / "workspace.yaml"
        path.write_text(json.dumps(document))
        call_command("apply", str(path), *options)
        return capsys.readouterr().out.splitlines()

    return applied


def workspace(*more: dict[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = YAML(typ="safe").load(shop.WORKSPACE)
    document["activations"] += more
    return document


def about_attio(lines: list[str]) -> list[str]:
    return [line for line in lines if line[0] in "! " and "activation " in line]


def test_dry_run_and_apply_warn_and_go_on(apply: Any) -> None:
    expected = [
        f"! activation Norwegians to Attio: “Countries to Attio” {CONFLICT}",
        f"! activation Countries to Attio: “Norwegians to Attio” {CONFLICT}",
    ]
    planned = apply(workspace(SECOND), "--dry-run")
    assert about_attio(planned) == expected
    assert planned[-1] == "Dry run: nothing was applied."
    assert not Activation.objects.exists()
    assert about_attio(apply(workspace(SECOND), "--no-test")) == expected
    assert Activation.objects.count() == 3
    assert apply(workspace(SECOND), "--no-test") == ["= 11 unchanged", "Nothing changed.", *expected]


def test_activation_that_is_not_in_the_file_is_named_as_well(apply: Any) -> None:
    apply(workspace(), "--no-test")
    lines = apply({"activations": [SECOND]}, "--dry-run")
    assert about_attio(lines) == [f"! activation Countries to Attio: “Norwegians to Attio” {CONFLICT}"]
    assert apply({"activations": []}, "--dry-run")[-1] == "Nothing changed."


def test_workspace_of_two_new_connections_is_known_once_they_were_tested(
    apply: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = workspace({**SECOND, "destination": "Second companies"})
    document["connections"].append({"name": "Second", "platform": "attio", "token": "${OUR_ATTIO}"})
    document["destinations"].append({"name": "Second companies", "connection": "Second", "service": "attio.companies"})
    assert about_attio(apply(document, "--dry-run")) == []
    with Server(sandboxes["attio"](shop.SECRETS["OUR_ATTIO"])) as vendor:
        monkeypatch.setenv("ATTIO_API_URL", vendor.url)
        assert len(about_attio(apply(document))) == 2
    assert len(about_attio(apply(document, "--dry-run"))) == 2


def test_equal_values_and_policies_are_no_conflict(apply: Any) -> None:
    same = {**SECOND, "fields": [{"from": "name", "to": "name"}]}
    assert about_attio(apply(workspace(same), "--no-test")) == [
        "  activation Norwegians to Attio: “Countries to Attio” also writes “name”. "
        "Both write the same value for the same row.",
        "  activation Countries to Attio: “Norwegians to Attio” also writes “name”. "
        "Both write the same value for the same row.",
    ]
    assert list(checks.conflicting_activations()) == []
    held = {**SECOND, "fields": [{"from": "country", "to": "name", "write": "if_empty"}]}
    first, second = about_attio(apply(workspace(held), "--no-test"))
    assert first.endswith(
        "“Countries to Attio” writes only if it is empty, so it never replaces a value of this activation."
    )
    assert second.endswith(
        "This activation writes only if it is empty, so it never replaces a value of “Norwegians to Attio”."
    )
    assert first[0] == second[0] == " "
    assert list(checks.conflicting_activations()) == []


def test_many_activations_get_few_lines_each(apply: Any) -> None:
    several = [{**SECOND, "name": f"Number {number}"} for number in range(6)]
    lines = [line for line in about_attio(apply(workspace(*several), "--dry-run")) if "Norwegians to Attio:" in line]
    assert len(lines) == 4
    assert lines[-1] == (
        "  activation Norwegians to Attio: shares attributes with Number 3, Number 4 and Number 5 as well."
    )


def test_doctor_reports_both_until_one_is_a_draft(apply: Any) -> None:
    apply(workspace(SECOND), "--no-test")
    assert [(finding.level, line(finding)) for finding in checks.conflicting_activations()] == [
        (
            checks.Level.WARN,
            "activation Countries to Attio: “Norwegians to Attio” also writes “name”, and the last run wins "
            f"→ {checks.REMEDY}",
        ),
        (
            checks.Level.WARN,
            "activation Norwegians to Attio: “Countries to Attio” also writes “name”, and the last run wins "
            f"→ {checks.REMEDY}",
        ),
    ]
    Activation.objects.filter(name=SECOND["name"]).update(is_draft=True)
    assert list(checks.conflicting_activations()) == []
