"""The shapes of the requests that each vendor documents, one module a platform, written without looking at our clients."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jsonschema import Draft202012Validator

Schema = Mapping[str, Any]


def closed(properties: Mapping[str, Schema], *required: str) -> dict[str, Any]:
    """An object that has these properties and no others."""
    return {"type": "object", "properties": dict(properties), "required": list(required), "additionalProperties": False}


NOTHING: Schema = {"type": "null"}


@dataclass(frozen=True)
class Shape:
    """One documented call.

    Args:
        path: a regular expression of the whole path.
        query: a schema of the query parameters, which are texts.
        body: a schema of the JSON body; null where there is none.
    """

    method: str
    path: str
    body: Schema = field(default_factory=lambda: NOTHING)
    query: Schema = field(default_factory=lambda: closed({}))


def shapes_of(platform: str) -> list[Shape]:
    """Raises ModuleNotFoundError where nobody wrote the shapes of a platform."""
    found: list[Shape] = importlib.import_module(f"{__name__}.{platform}").SHAPES
    return found


def violations(shapes: Iterable[Shape], requests: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Where requests of a simulator's log differ from every documented call."""
    known = list(shapes)
    for request in requests:
        call = f"{request['method']} {request['path']}"
        shape = next(
            (
                shape
                for shape in known
                if shape.method == request["method"] and re.fullmatch(shape.path, request["path"])
            ),
            None,
        )
        if shape is None:
            yield f"{call} is no documented call"
            continue
        for part, schema in (("query", shape.query), ("body", shape.body)):
            yield from (
                f"{call} {part}: {error.message}" for error in Draft202012Validator(schema).iter_errors(request[part])
            )
