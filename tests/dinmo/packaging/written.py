"""Reads what is written in Dockerfile, docker-compose.yml and deploy/kubernetes."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROOT = Path(__file__).resolve().parents[3]
KUBERNETES = ROOT / "deploy/kubernetes"
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^${}]*))?\}")


def yaml(path: Path) -> Any:
    """The only document of a YAML file."""
    return YAML(typ="safe").load(path.read_text())


def compose() -> dict[str, Any]:
    """docker-compose.yml, with its variables."""
    loaded: dict[str, Any] = yaml(ROOT / "docker-compose.yml")
    return loaded


def manifests() -> list[dict[str, Any]]:
    """Every object that kustomization.yaml lists, and the example of the secret."""
    files = [*yaml(KUBERNETES / "kustomization.yaml")["resources"], "secret.example.yaml"]
    return [each for name in files for each in YAML(typ="safe").load_all((KUBERNETES / name).read_text())]


def interpolated(value: Any, variables: Mapping[str, str]) -> Any:
    """A part of the compose file with its variables replaced, as compose does it.

    Raises:
        KeyError: a required variable is missing.
    """
    if isinstance(value, dict):
        return {name: interpolated(each, variables) for name, each in value.items()}
    if isinstance(value, list):
        return [interpolated(each, variables) for each in value]
    if not isinstance(value, str):
        return value
    while match := VARIABLE.search(value):
        name, kind, default = match.groups()
        found = variables.get(name) or (default if kind == "-" else variables[name])
        value = value[: match.start()] + found + value[match.end() :]
    return value.replace("$$", "$")


class Image:
    """What the Dockerfile says about the image."""

    def __init__(self) -> None:
        text = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE))
        self.lines = [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]
        self.command: list[str] = json.loads(self.all("CMD")[-1])
        self.health: list[str] = json.loads(self.all("HEALTHCHECK")[-1].partition("CMD")[2])
        self.environment = dict(word.split("=", 1) for word in shlex.split(self.all("ENV")[-1]))

    def all(self, instruction: str) -> list[str]:
        """The arguments of every line with an instruction."""
        return [rest for name, rest in self.lines if name == instruction]

    def copy_files(self, to: Path) -> None:
        """Copies what `COPY . .` copies: everything that .dockerignore does not name."""
        lines = (ROOT / ".dockerignore").read_text().splitlines()
        ignored = [line.removeprefix("**/") for line in lines if line and not line.startswith("#")]
        anywhere = [line.removeprefix("**/") for line in lines if line.startswith("**/")]

        def left_out(folder: str, names: list[str]) -> Iterable[str]:
            patterns = ignored if Path(folder) == ROOT else anywhere
            return [name for name in names if any(fnmatchcase(name, each) for each in patterns)]

        shutil.copytree(ROOT, to, ignore=left_out)
