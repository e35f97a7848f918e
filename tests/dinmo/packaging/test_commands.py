"""Each command of the compose file and the manifests runs as it is written, becomes healthy, and ends cleanly."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet
from django.core.management.utils import get_random_secret_key

from tests.dinmo.packaging.containers import Host
from tests.dinmo.packaging.written import compose, interpolated, manifests

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

pytestmark = [pytest.mark.slow]

PROCESSES = ("web", "planner", "worker", "beat")
PASSWORD = "a-password"
KEY = re.compile(r"A new key was created: (\S+?/keys/\w+)\.")


@pytest.fixture
def services(tmp_path: Path, database: str, redis: str) -> Iterator[tuple[Host, dict[str, Any]]]:
    """A host, and the services of the compose file with nothing set but the password."""
    (tmp_path / "data").mkdir()
    names = {
        "/var/lib/dinmo/keys": str(tmp_path / "keys"),
        f"postgres://dinmo:{PASSWORD}@postgres:5432/dinmo": database,
        "redis://redis:6379/0": redis,
    }
    host = Host(tmp_path, names | {"/data": str(tmp_path / "data")})
    yield host, interpolated(compose(), {"POSTGRES_PASSWORD": PASSWORD})["services"]
    host.close()


@pytest.fixture
def cluster(tmp_path: Path, database: str, redis: str) -> Iterator[tuple[Host, dict[str, str]]]:
    """A host, and the settings of the manifests, with secrets in place of the examples."""
    (tmp_path / "data").mkdir()
    host = Host(tmp_path, {"/data": str(tmp_path / "data")})
    (secret,) = [each["stringData"] for each in manifests() if each["kind"] == "Secret"]
    (plain,) = [each["data"] for each in manifests() if each["kind"] == "ConfigMap"]
    real = {"SECRET_KEY": get_random_secret_key(), "ENCRYPTION_KEYS": Fernet.generate_key().decode()}
    assert secret.keys() == real.keys() | {"DATABASE_URL", "REDIS_URL"}
    yield host, plain | real | {"DATABASE_URL": database, "REDIS_URL": redis}
    host.close()


def stop_all(host: Host, grace_seconds: Mapping[str, float]) -> None:
    """Each process ends with code 0 in the time that it is given, and no process wrote into the image."""
    assert {name: host.stop(name, grace_seconds[name]) for name in PROCESSES} == dict.fromkeys(PROCESSES, 0)
    assert host.files() == host.before


def test_services_of_the_compose_file(services: tuple[Host, dict[str, Any]]) -> None:
    host, defined = services
    assert defined.keys() == {"postgres", "redis", "migrate", *PROCESSES, "caddy"}
    migrated = host.run("migrate", defined["migrate"]["command"], defined["migrate"]["environment"])
    assert migrated.returncode == 0, migrated.stderr
    files = [host.home / "keys" / name for name in ("secret_key", "encryption_key")]
    assert KEY.findall(migrated.stderr) == [str(file) for file in files]
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600, 0o600]
    before = [file.read_text() for file in files]
    for name in PROCESSES:
        command = defined[name].get("command", host.image.command)
        host.start(name, command, defined[name]["environment"])
    for name in PROCESSES:
        check = defined[name].get("healthcheck", {}).get("test") or ["CMD", *host.image.health]
        words = check[1:] if check[0] == "CMD" else ["sh", "-c", *check[1:]]
        host.wait_until_healthy(name, words, defined[name]["environment"])
    assert [file.read_text() for file in files] == before
    assert not any(KEY.search(host.log(name).read_text()) for name in PROCESSES)
    setup_link = f"Create the first administrator at http://127.0.0.1:{host.port}/setup/#"
    assert setup_link in host.log("web").read_text()
    report = host.run("web", ["python", "manage.py", "doctor"], defined["web"]["environment"])
    assert (report.returncode, "which all processes share" in report.stdout) == (0, True), report.stdout
    grace = {name: float(defined[name]["stop_grace_period"].removesuffix("s")) for name in PROCESSES if name != "beat"}
    stop_all(host, grace | {"beat": 10})


def test_containers_of_the_manifests(cluster: tuple[Host, dict[str, str]]) -> None:
    host, settings = cluster
    pods = {
        each["metadata"]["name"].removeprefix("dinmo-"): each["spec"]["template"]["spec"]
        for each in manifests()
        if each["kind"] in ("Deployment", "Job")
    }
    assert pods.keys() == {"migrate", *PROCESSES}
    waiting = [pods[name]["initContainers"][0]["command"] for name in PROCESSES]
    assert waiting == [waiting[0]] * len(PROCESSES)
    assert host.run("web", waiting[0], settings).returncode == 1
    (job,) = pods["migrate"]["containers"]
    migrated = host.run("migrate", job["command"], settings)
    assert migrated.returncode == 0, migrated.stderr
    assert host.run("web", waiting[0], settings).returncode == 0
    containers = {name: pods[name]["containers"][0] for name in PROCESSES}
    for name, container in containers.items():
        host.start(name, container.get("command", host.image.command), settings)
    for name, container in containers.items():
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            if probe in container:
                host.wait_until_healthy(name, words_of(container[probe]), settings)
    stop_all(host, {name: pods[name]["terminationGracePeriodSeconds"] for name in PROCESSES})


def words_of(probe: dict[str, Any]) -> list[str]:
    """The command of a probe. For a request, one that sends it as Kubernetes does: to an address, not a name."""
    if "exec" in probe:
        return list(probe["exec"]["command"])
    assert probe["httpGet"]["port"] == "http"
    request = f"c.request('GET', '{probe['httpGet']['path']}', headers={{'Host': '10.1.2.3:8000'}})"
    code = f"import http.client as h; c = h.HTTPConnection('127.0.0.1', 8000, timeout=5); {request}"
    return ["python", "-c", f"{code}; raise SystemExit(c.getresponse().status not in range(200, 400))"]
