"""`manage.py startengine NAME`: writes the folder of a new source engine, ready to be filled in."""

from __future__ import annotations

from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from django.conf import settings

from core.commands import ScriptedCommand
from core.errors import Problem
from dinmo.management import scaffold
from segments import engines

if TYPE_CHECKING:
    from argparse import ArgumentParser

ENGINES, MAKERS = "segments/engines", "tests/segments/makers"
NEXT = """Wrote {folder} and {maker}.

Next:
  1. {maker}: how tests store rows in the database.
  2. {folder}/engine.py: the parameters, open, and the reader.
  3. {folder}/dialect.py: the expressions that the database writes differently.

Every test that all engines share now runs for {name}, too. It fails with the next thing to do:
  python -m pytest -x tests/segments/engines/test_engines.py -k {name}
then, for the agreement of all engines on every condition:
  python -m pytest -x tests/segments

docs/plugins.md explains each file."""


class Command(ScriptedCommand):
    help = (
        "Writes segments/engines/NAME/ and what the tests of all engines need to include it. They fail with what to do "
        "next until the engine is complete."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="The slug of the engine, such as clickhouse.")
        parser.add_argument("--label", default="", help="The database's name, such as ClickHouse. Defaults to NAME.")

    def handle(self, *args: Any, name: str, label: str, **options: Any) -> None:
        try:
            scaffold.checked_name(name, _shared_modules())
            folder, maker = settings.BASE_DIR / ENGINES / name, settings.BASE_DIR / MAKERS / f"{name}.py"
            context = {
                "name": name,
                "engine_class": scaffold.class_name(name),
                "label": scaffold.checked_label(label) or name.replace("_", " ").title(),
            }
            files = scaffold.rendered("engine", context)
            scaffold.write(
                {maker: files.pop("maker.py"), **{folder / path: text for path, text in files.items()}}, folder
            )
        except Problem as problem:
            self.refuse(problem.message)
        paths = {"folder": folder.relative_to(settings.BASE_DIR), "maker": maker.relative_to(settings.BASE_DIR)}
        self.stdout.write(NEXT.format(**paths, name=name))


def _shared_modules() -> set[str]:
    """The modules that engines share, beside which the new folder lies."""
    return {info.name for info in iter_modules(engines.__path__) if not info.ispkg}
