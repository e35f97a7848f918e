"""The compose file, the manifests and the workflows are what their schemas allow."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jsonschema
import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from tests.dinmo.packaging.written import KUBERNETES, ROOT, Image, compose, interpolated, manifests, yaml

if TYPE_CHECKING:
    from pathlib import Path

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
OLDEST, NEWEST = "1.29", "1.37"
"""Versions of Kubernetes. The oldest one is that of docs/deploy.md."""
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def schema(name: str) -> Any:
    """A schema that comes with check-jsonschema."""
    return json.loads((files("check_jsonschema") / f"builtin_schemas/vendor/{name}.json").read_text())


def violations(document: Any, name: str) -> list[str]:
    validator = jsonschema.validators.validator_for(schema(name))(schema(name))
    return [f"{each.json_path}: {each.message}" for each in validator.iter_errors(document)]


def objects(kind: str) -> list[dict[str, Any]]:
    return [each for each in manifests() if each["kind"] == kind]


def pods() -> dict[str, dict[str, Any]]:
    """The specification of the pods of every deployment and job, by name."""
    found = objects("Deployment") + objects("Job")
    return {each["metadata"]["name"]: each["spec"]["template"]["spec"] for each in found}


def test_compose_file_is_valid_with_and_without_its_variables() -> None:
    assert violations(compose(), "compose-spec") == []
    assert violations(interpolated(compose(), {"POSTGRES_PASSWORD": "x"}), "compose-spec") == []


def test_schema_finds_a_mistake_in_the_compose_file() -> None:
    broken = copy.deepcopy(compose())
    broken["services"]["web"]["helthcheck"] = {}
    assert violations(broken, "compose-spec")


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_manifest_is_valid(version: str) -> None:
    assert {"Deployment", "Job", "Service", "Ingress", "ConfigMap", "Secret"} <= {each["kind"] for each in manifests()}
    for each in manifests():
        kubernetes_validate.validate(each, version, strict=True)


def test_schema_finds_a_mistake_in_a_manifest() -> None:
    broken = copy.deepcopy(objects("Deployment")[0])
    broken["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, NEWEST, strict=True)


@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not installed")
def test_kustomize_builds_the_manifests() -> None:
    built = subprocess.run(["kubectl", "kustomize", KUBERNETES], capture_output=True, text=True, check=True).stdout
    documents = list(YAML(typ="safe").load_all(built))
    listed = [each for each in manifests() if each["kind"] != "Secret"]
    assert sorted(each["kind"] for each in documents) == sorted(each["kind"] for each in listed)
    for each in documents:
        kubernetes_validate.validate(each, NEWEST, strict=True)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflow_is_valid(path: Path) -> None:
    workflow = yaml(path)
    assert violations(workflow, "github-workflows") == []
    assert all("timeout-minutes" in job for job in workflow["jobs"].values())
    broken = copy.deepcopy(workflow)
    next(iter(broken["jobs"].values()))["stepps"] = []
    assert violations(broken, "github-workflows")


def test_every_file_names_the_version_of_the_project() -> None:
    assert f"VERSION={VERSION}" in Image().all("ARG")
    images = {service["image"] for service in compose()["services"].values() if "build" in service}
    assert images == {f"${{DINMO_IMAGE:-dinmo}}:${{DINMO_VERSION:-{VERSION}}}"}
    assert yaml(KUBERNETES / "kustomization.yaml")["images"][0]["newTag"] == VERSION


def test_nothing_in_the_image_runs_as_root_or_keeps_a_secret() -> None:
    image = Image()
    assert image.all("USER") == ["10001:10001"]
    assert not [line for line in image.all("ENV") + image.all("ARG") if "KEY" in line or "PASSWORD" in line]


def test_every_pod_is_restricted_as_its_namespace_requires() -> None:
    (namespace,) = objects("Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for pod in pods().values():
        security = pod["securityContext"]
        assert (security["runAsNonRoot"], security["runAsUser"]) == (True, 10001)
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["terminationGracePeriodSeconds"] == 90
        assert not pod["automountServiceAccountToken"]
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert {"requests", "limits"} <= set(container["resources"])


def test_every_reference_between_manifests_leads_somewhere() -> None:
    deployments = {each["metadata"]["name"]: each for each in objects("Deployment")}
    labels = [each["spec"]["template"]["metadata"]["labels"] for each in deployments.values()]
    selectors = [each["spec"]["selector"] for each in objects("Service")]
    selectors += [each["spec"]["selector"]["matchLabels"] for each in objects("PodDisruptionBudget")]
    selectors += [each["spec"]["selector"]["matchLabels"] for each in deployments.values()]
    assert all(sum(selector.items() <= each.items() for each in labels) == 1 for selector in selectors)
    names = {(each["kind"], each["metadata"]["name"]) for each in manifests()}
    (ingress,) = objects("Ingress")
    (path,) = ingress["spec"]["rules"][0]["http"]["paths"]
    assert ("Service", path["backend"]["service"]["name"]) in names
    for pod in pods().values():
        mounted = {mount["name"] for each in pod["containers"] for mount in each["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}
        (claim,) = [volume["persistentVolumeClaim"] for volume in pod["volumes"] if "persistentVolumeClaim" in volume]
        assert ("PersistentVolumeClaim", claim["claimName"]) in names
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            sources = [(next(iter(each)), next(iter(each.values()))["name"]) for each in container["envFrom"]]
            assert {("ConfigMap", "dinmo"), ("Secret", "dinmo")} <= names
            assert sources == [("configMapRef", "dinmo"), ("secretRef", "dinmo")]


def test_ingress_serves_the_public_address() -> None:
    (settings,) = objects("ConfigMap")
    (ingress,) = objects("Ingress")
    hosts = {ingress["spec"]["rules"][0]["host"], *ingress["spec"]["tls"][0]["hosts"]}
    assert hosts == {settings["data"]["PUBLIC_URL"].removeprefix("https://")}
