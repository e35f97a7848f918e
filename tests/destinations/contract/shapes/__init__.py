"""The requests that each vendor documents, as JSON schemas that were written without looking at the clients."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jsonschema import Draft202012Validator

Schema = Mapping[str, Any]


def closed(properties: Mapping[str, Schema], *required: str) -> dict[str, Any]:
    """A schema for an object with these properties and no others."""
    return {"type": "object", "properties": dict(properties), "required": list(required), "additionalProperties": False}


NOTHING: Schema = {"type": "null"}


@dataclass(frozen=True)
class Shape:
    """One documented call.

    Args:
        path: a regular expression for the complete path.
        query: a schema for the query parameters, which are strings.
        body: a schema for the JSON body; null if the call has none.
    """

    method: str
    path: str
    body: Schema = field(default_factory=lambda: NOTHING)
    query: Schema = field(default_factory=lambda: closed({}))


def shapes_of(platform: str) -> list[Shape]:
    """The documented calls of a platform. Raises ModuleNotFoundError if it has no module."""
    shapes: list[Shape] = importlib.import_module(f"{__name__}.{platform}").SHAPES
    return shapes


def violations(shapes: Iterable[Shape], requests: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """How requests in a simulator's log differ from the documented calls."""
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
            yield f"{call} is not documented"
            continue
        for part, schema in (("query", shape.query), ("body", shape.body)):
            yield from (
                f"{call} {part}: {error.message}" for error in Draft202012Validator(schema).iter_errors(request[part])
            )
