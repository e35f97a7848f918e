"""`manage.py startservice` writes a folder that lints, and whose conformance suite says what to do next."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command

from tests.dinmo.scaffold.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.dinmo.scaffold.conftest import Project

SERVICES, SHAPES = "destinations/services", "tests/destinations/contract/shapes"
EXAMPLE = ROOT / "tests/destinations/example"
LONGEST = ("a_vendor_with_quite_a_long_nam", "objects_of_a_length_that_is_ok")


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*.py")}


@pytest.mark.parametrize(
    "name",
    ["acme", "Acme.companies", "acme.", ".companies", "acme.companies.more", "ac-me.x", "../x.y", "1a.b", "acme.class",
     "queue.companies", "newco.client", "newco.sandbox", f"{'a' * 31}.b", "", "acme.compañías", "acme__x.y"],
)  # fmt: skip
def test_name_that_can_not_be_a_slug_is_refused(tmp_path: Path, settings: Any, name: str) -> None:
    settings.BASE_DIR = tmp_path
    with pytest.raises(CommandError) as refused:
        call_command("startservice", name)
    assert refused.value.returncode == 64
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("label", ['A "quoted" name', "x" * 31, "{{ settings }}", "a\\b", "a\nb"])
def test_label_that_can_not_be_written_into_code_is_refused(tmp_path: Path, settings: Any, label: str) -> None:
    settings.BASE_DIR = tmp_path
    with pytest.raises(CommandError, match="The label"):
        call_command("startservice", "acme.companies", "--label", label)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("existing", [f"{SERVICES}/acme/own.py", f"{SHAPES}/acme.py"])
def test_nothing_is_overwritten(tmp_path: Path, settings: Any, existing: str) -> None:
    settings.BASE_DIR = tmp_path
    path = tmp_path / existing
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    with pytest.raises(CommandError, match="already exists"):
        call_command("startservice", "acme.companies")
    assert files(tmp_path) == {existing}
    assert path.read_text() == "mine"


@pytest.fixture(scope="module")
def started(project: Project) -> Project:
    done = project.manage("startservice", "acme.companies", "--label", "Acme")
    assert done.returncode == 0, done.stdout
    assert f"{SERVICES}/acme/companies.py" in done.stdout
    return project


@pytest.mark.slow
def test_new_folder_lints_and_its_suite_says_what_to_write_next(started: Project) -> None:
    platform, kind = LONGEST
    assert started.manage("startservice", f"{platform}.{kind}", "--label", "It's 30 characters & a bit").returncode == 0
    folders = [f"{SERVICES}/{name}" for name in ("acme", platform)]
    shapes = [f"{SHAPES}/{name}.py" for name in ("acme", platform)]
    assert started.lint([*folders, *shapes]) == []
    shutil.rmtree(started.root / folders[1])
    (started.root / shapes[1]).unlink()
    done = started.manage("conformance", "acme.companies", "--first")
    assert done.returncode == 1
    assert f"Write `fields` in {SERVICES}/acme/companies.py: request the vendor's attributes" in done.stdout


@pytest.mark.slow
def test_completed_example_passes_the_suite_with_under_500_lines(started: Project) -> None:
    folder, shapes = started.root / SERVICES / "acme", started.root / SHAPES / "acme.py"
    assert files(EXAMPLE / "acme") == files(folder)
    shutil.rmtree(folder)
    shutil.copytree(EXAMPLE / "acme", folder)
    shutil.copy(EXAMPLE / "shapes.py", shapes)
    assert started.lint([str(folder), str(shapes)]) == []
    done = started.run("-m", "pytest", "tests/destinations/contract", "-k", "acme", "-rs")
    assert done.returncode == 0, done.stdout
    assert sum(len(path.read_text().splitlines()) for path in [*folder.rglob("*.py"), shapes]) < 500
