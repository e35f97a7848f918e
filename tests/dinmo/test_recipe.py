"""The recipes for production: what README.md and docker-compose.yml tell people to type leads to a complete `.env`."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text()
RECIPE = re.search(r"## In production\n.*?```\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
assert RECIPE
README_COMMANDS = RECIPE[1]
REQUIRED = set(re.findall(r"\$\{(\w+):\?", COMPOSE))
SERVICES = YAML(typ="safe").load(COMPOSE)["services"]


def from_readme() -> str:
    """The command of README.md that writes `.env`: everything before the first call of docker."""
    return README_COMMANDS.partition("docker ")[0]


def from_compose() -> str:
    """The commands at the top of docker-compose.yml that write `.env`."""
    return "\n".join(re.findall(r"^#   (umask .*|echo .*)$", COMPOSE, re.MULTILINE))


@pytest.mark.parametrize("commands", [from_readme, from_compose])
def test_recipe_writes_everything_that_compose_requires(commands: object, tmp_path: Path) -> None:
    assert callable(commands)
    subprocess.run(["bash", "-euc", commands()], cwd=tmp_path, check=True)
    file = tmp_path / ".env"
    env: Mapping[str, str] = dict(line.split("=", 1) for line in file.read_text().splitlines())
    assert {"SECRET_KEY", "ENCRYPTION_KEYS", "POSTGRES_PASSWORD"} <= REQUIRED <= env.keys()
    assert file.stat().st_mode & 0o077 == 0
    assert len(env["SECRET_KEY"]) >= 50
    Fernet(env["ENCRYPTION_KEYS"])
    # It becomes part of an address, and compose would replace a dollar sign.
    assert re.fullmatch(r"\w{32,}", env["POSTGRES_PASSWORD"])


def test_recipe_calls_services_that_compose_has() -> None:
    called = re.findall(r"docker compose (?:exec|run --rm) (\w+)", README_COMMANDS + COMPOSE)
    assert called
    assert set(called) <= set(SERVICES)


def test_every_service_of_the_application_gets_the_same_settings() -> None:
    ours = {name: service for name, service in SERVICES.items() if service.get("image") == "dinmo"}
    assert set(ours) >= {"migrate", "web", "worker", "beat"}
    assert all(
        service["env_file"] == ".env" and REQUIRED - {"POSTGRES_PASSWORD"} <= set(service["environment"])
        for service in ours.values()
    )
    assert all("POSTGRES_PASSWORD" in service["environment"]["DATABASE_URL"] for service in ours.values())
