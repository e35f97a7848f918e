"""`manage.py startengine` writes a folder that lints, and that the tests of all engines include."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command

from tests.dinmo.scaffold.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.dinmo.scaffold.conftest import Project

ENGINES, MAKERS = "segments/engines", "tests/segments/makers"
EXAMPLE = ROOT / "tests/segments/example"
LONGEST = "a_database_with_quite_long_nam"


@pytest.mark.parametrize(
    "name", ["", "ClickHouse", "click-house", "1a", "batches", "sql_guard", "class", "queue", "a.b", "../x", "x" * 31]
)
def test_name_that_can_not_be_a_slug_is_refused(tmp_path: Path, settings: Any, name: str) -> None:
    settings.BASE_DIR = tmp_path
    with pytest.raises(CommandError) as refused:
        call_command("startengine", name)
    assert refused.value.returncode == 64
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("existing", [f"{ENGINES}/clickhouse/own.py", f"{MAKERS}/clickhouse.py"])
def test_nothing_is_overwritten(tmp_path: Path, settings: Any, existing: str) -> None:
    settings.BASE_DIR = tmp_path
    path = tmp_path / existing
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    with pytest.raises(CommandError, match="already exists"):
        call_command("startengine", "clickhouse")
    assert [found for found in tmp_path.rglob("*") if found.is_file()] == [path]
    assert path.read_text() == "mine"


@pytest.mark.slow
def test_new_folder_lints_and_the_tests_of_all_engines_say_what_to_write_next(project: Project) -> None:
    for name, label in (("clickhouse", "ClickHouse"), (LONGEST, "It's 30 characters & a bit")):
        done = project.manage("startengine", name, "--label", label)
        assert done.returncode == 0, done.stdout
        assert f"{ENGINES}/{name}/engine.py" in done.stdout
    names = ("clickhouse", LONGEST)
    assert project.lint([*(f"{ENGINES}/{name}" for name in names), *(f"{MAKERS}/{name}.py" for name in names)]) == []
    suite = ("-m", "pytest", "-x", "tests/segments/engines/test_engines.py", "-k", "clickhouse")
    assert f"Write `make` in {MAKERS}/clickhouse.py: create the table 'companies'" in project.run(*suite).stdout
    maker = project.root / MAKERS / "clickhouse.py"
    maker.write_text(maker.read_text().partition("    raise unwritten(")[0] + "    return table, {}\n")
    assert f"Write `open` in {ENGINES}/clickhouse/engine.py: a context manager" in project.run(*suite).stdout


@pytest.mark.slow
def test_completed_example_passes_the_tests_of_all_engines(project: Project) -> None:
    assert project.manage("startengine", "feather").returncode == 0
    folder, maker = project.root / ENGINES / "feather", project.root / MAKERS / "feather.py"
    for name in ("engine.py", "dialect.py"):
        shutil.copy(EXAMPLE / name, folder / name)
    shutil.copy(EXAMPLE / "maker.py", maker)
    assert project.lint([str(folder), str(maker)]) == []
    done = project.run("-m", "pytest", "tests/segments/engines", "-k", "feather")
    assert done.returncode == 0, done.stdout
