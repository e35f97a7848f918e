"""The complete configuration of the demo, with an account and an activation of every vendor that takes part.

`python -m dinmo.demo.workspace > dinmo/demo/workspace.yaml` regenerates the file for people.
"""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from destinations.registry import platforms, samples, services
from dinmo.demo.data import FILE, FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from destinations.conformance import Sample
    from destinations.contract import Platform

HEAD = "# The complete configuration of the demo. `manage.py apply` loads it into any installation.\n"
SOURCES: Mapping[str, Any] = {
    "sources": [{"name": "Demo shop", "engine": "sqlite", "path": f"{FOLDER}/{FILE}"}],
    "models": [
        {"name": "Demo companies", "source": "Demo shop", "kind": "custom", "table": "companies", "primary_key": "id"}
    ],
    "segments": [
        {
            "name": "Paying companies in France and Germany",
            "model": "Demo companies",
            "where": {
                "all": [
                    {"field": "mrr", "is": "greater_than", "value": 0},
                    {"field": "country", "is": "one_of", "value": ["FR", "DE"]},
                ]
            },
        }
    ],
}


def text() -> str:
    """The workspace file."""
    taking_part = list(demos())
    accounts = {sample.slug.partition(".")[0]: sample for sample in taking_part}
    workspace = {
        **SOURCES,
        "connections": [_connection(platforms[slug], sample) for slug, sample in accounts.items()],
        "destinations": [
            {"name": _destination(sample), "connection": _account(sample), "service": sample.slug}
            for sample in taking_part
        ],
        "activations": [
            {"name": sample.demo.activation, "destination": _destination(sample), **sample.demo.keys}
            for sample in taking_part
            if sample.demo
        ],
    }
    out = StringIO()
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 120
    yaml.dump(workspace, out)
    return HEAD + out.getvalue()


def demos() -> Iterator[Sample]:
    """The samples of the services that take part in the demo."""
    return (sample for sample in samples.all.values() if sample.demo)


def secrets() -> dict[str, tuple[str, str]]:
    """The environment variables of the workspace file: platform and parameter by name."""
    return {
        f"{platform.slug}_{parameter.name}".upper(): (platform.slug, parameter.name)
        for platform in platforms.all.values()
        for parameter in platform.parameters
        if parameter.kind == "secret"
    }


def _connection(platform: Platform, sample: Sample) -> dict[str, Any]:
    references = {name: f"${{{variable}}}" for variable, (slug, name) in secrets().items() if slug == platform.slug}
    return {"name": _account(sample), "platform": platform.slug, **sample.settings, **references}


def _account(sample: Sample) -> str:
    return f"Demo {services[sample.slug].platform.label}"


def _destination(sample: Sample) -> str:
    return f"Demo {services[sample.slug].platform.label} {sample.slug.partition('.')[2]}"


if __name__ == "__main__":
    print(text(), end="")
