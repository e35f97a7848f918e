"""`manage.py startservice PLATFORM.OBJECT`: writes the folder of a new destination service, ready to be filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

from core.commands import ScriptedCommand
from core.errors import Problem
from destinations.registry import platforms
from dinmo.management import scaffold

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from pathlib import Path

OWN_MODULES = ("client", "errors", "platform", "samples", "sandbox", "values")
SERVICES, SHAPES = "destinations/services", "tests/destinations/contract/shapes"

NEXT = """Wrote {folder} and {shapes}.

Next, with the vendor's API documentation at hand:
  1. {shapes}: the requests that the vendor documents.
  2. {folder}/sandbox/server.py: a simulator that checks these requests and answers as documented.
  3. {folder}/errors.py, client.py and platform.py: the errors, the headers of the rate limit, the address.
  4. {folder}/{object}.py: fields, convert, find and write.
  5. {folder}/samples.py: an example of each type, and the documented errors.

Run the conformance suite after each step. It fails with the next thing to do:
  python manage.py conformance {platform}.{object} --first

docs/plugins.md explains each file."""


class Command(ScriptedCommand):
    help = (
        "Writes destinations/services/PLATFORM/ and the test of a new destination service. Its conformance suite fails "
        "with what to do next until the service is complete."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="PLATFORM.OBJECT", help="The slug of the service, such as acme.companies.")
        parser.add_argument("--label", default="", help="The vendor's name, such as HubSpot. Defaults to PLATFORM.")

    def handle(self, *args: Any, name: str, label: str, **options: Any) -> None:
        try:
            platform, object_name = _parts(name)
            folder, shapes = settings.BASE_DIR / SERVICES / platform, settings.BASE_DIR / SHAPES / f"{platform}.py"
            scaffold.write(_files(folder, shapes, platform, object_name, label), folder)
        except Problem as problem:
            self.refuse(problem.message)
        paths = {"folder": folder.relative_to(settings.BASE_DIR), "shapes": shapes.relative_to(settings.BASE_DIR)}
        self.stdout.write(NEXT.format(**paths, platform=platform, object=object_name))


def _parts(name: str) -> tuple[str, str]:
    platform, _, object_name = name.partition(".")
    return scaffold.checked_name(platform), scaffold.checked_name(object_name, OWN_MODULES)


def _files(folder: Path, shapes: Path, platform: str, object_name: str, label: str) -> dict[Path, str]:
    context = {
        "platform": platform,
        "object": object_name,
        "object_words": object_name.replace("_", " "),
        "platform_class": scaffold.class_name(platform),
        "service_class": scaffold.class_name(platform, object_name),
        "label": scaffold.checked_label(label) or platform.replace("_", " ").title(),
        "variable": platform.upper(),
        "port": max(each.sandbox_port for each in platforms.all.values()) + 1,
    }
    files = scaffold.rendered("service", context)
    test = files.pop("shapes.py")
    files[f"{object_name}.py"] = files.pop("object.py")
    return {**{folder / path: text for path, text in files.items()}, shapes: test}
