"""The recipes for production: what README.md, docs/deploy.md and docker-compose.yml tell people to type is complete."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text()
DEPLOY = (ROOT / "docs/deploy.md").read_text()
RECIPE = re.search(r"## In production\n.*?```\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
assert RECIPE
README_COMMANDS = RECIPE[1]
REQUIRED = set(re.findall(r"\$\{(\w+):\?", COMPOSE))
SERVICES = YAML(typ="safe").load(COMPOSE)["services"]
KEYS = {"SECRET_KEY", "ENCRYPTION_KEYS"}


def from_readme() -> str:
    """The command of README.md that writes `.env`: everything before the first call of docker."""
    return README_COMMANDS.partition("docker ")[0]


def from_compose() -> str:
    """The commands at the top of docker-compose.yml that write `.env`."""
    return "\n".join(re.findall(r"^#   (umask .*|echo .*)$", COMPOSE, re.MULTILINE))


def from_docs(heading: str) -> str:
    """The first block of commands below a heading of docs/deploy.md, without calls of docker and kubectl."""
    block = DEPLOY.partition(f"## {heading}\n")[2].partition("```\n")[2].partition("```")[0]
    return re.split(r"^(?:docker|kubectl) ", block, maxsplit=1, flags=re.MULTILINE)[0]


def typed(commands: str, directory: Path) -> Mapping[str, str]:
    """The variables in `.env`, after somebody typed the commands in a directory. Only its owner can read the file."""
    subprocess.run(["bash", "-euc", commands], cwd=directory, check=True)
    file = directory / ".env"
    assert file.stat().st_mode & 0o077 == 0
    return dict(line.split("=", 1) for line in file.read_text().splitlines())


@pytest.mark.parametrize("commands", [from_readme, from_compose, lambda: from_docs("Docker Compose")])
def test_recipe_writes_everything_that_compose_requires(commands: Callable[[], str], tmp_path: Path) -> None:
    env = typed(commands(), tmp_path)
    assert {"POSTGRES_PASSWORD"} <= REQUIRED <= env.keys()
    # It becomes part of an address, and compose would replace a dollar sign.
    assert re.fullmatch(r"\w{32,}", env["POSTGRES_PASSWORD"])


def test_recipe_for_own_keys_writes_good_ones(tmp_path: Path) -> None:
    env = typed(from_docs("Keys"), tmp_path)
    assert env.keys() == KEYS
    assert len(env["SECRET_KEY"]) >= 50
    Fernet(env["ENCRYPTION_KEYS"])


def test_recipe_calls_services_that_compose_has() -> None:
    text = README_COMMANDS + COMPOSE + DEPLOY + (ROOT / "docs/upgrade.md").read_text()
    called = re.findall(r"docker compose (?:exec|run --rm|logs) (\w+)", text)
    assert {"web", "migrate"} <= set(called) <= set(SERVICES)


def test_every_service_of_the_application_gets_the_same_settings() -> None:
    ours = {name: service for name, service in SERVICES.items() if "build" in service}
    assert ours.keys() == {"migrate", "web", "planner", "worker", "beat"}
    first = ours["migrate"]
    for service in ours.values():
        assert service["env_file"] == [{"path": ".env", "required": False}]
        shared = [service[part] for part in ("image", "environment", "volumes")]
        assert shared == [first[part] for part in ("image", "environment", "volumes")]
    assert KEYS | {"KEYS_DIR", "DATABASE_URL", "PUBLIC_URL", "PRODUCTION"} <= set(first["environment"])
    assert "POSTGRES_PASSWORD" in first["environment"]["DATABASE_URL"]
    assert f"keys:{first['environment']['KEYS_DIR']}" in first["volumes"]
