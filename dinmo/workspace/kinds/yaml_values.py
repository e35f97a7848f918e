"""Values as YAML that is read back unchanged: blocks, lines and quoted text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

from dinmo.workspace.yaml_document import escape

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./ -]*(?<! )|[0-9]+ [a-z]+")
_BLOCK = re.compile(r"[!-~](?:[ -~]*[!-~])?(?:\n+ *[!-~](?:[ -~]*[!-~])?)*\n?")
_LEAF = (
    "field", "segment", "related", "through", "has", "count", "sum", "average", "min", "max", "is", "value", "where",
    "labels", "otherwise",
)  # fmt: skip
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


def block(pairs: Mapping[str, Any]) -> CommentedMap:
    """A YAML mapping without empty values."""
    return CommentedMap(
        (key, as_yaml(value)) for key, value in pairs.items() if value is not None and value not in ("", [], {}, ())
    )


def flow(pairs: Mapping[str, Any]) -> CommentedMap:
    written = block(pairs)
    written.fa.set_flow_style()
    return written


def conditions(tree: Any) -> Any:
    """A condition tree: groups in block style, and each condition on one line."""
    if isinstance(tree, Mapping) and all(isinstance(group, list) for group in tree.values()):
        return CommentedMap((key, [conditions(item) for item in group]) for key, group in tree.items())
    written = as_yaml(dict(sorted(tree.items(), key=place)) if isinstance(tree, Mapping) else tree)
    if isinstance(written, CommentedMap):
        written.fa.set_flow_style()
    return written


def place(item: tuple[str, Any]) -> tuple[int, str]:
    """The sort key of a condition's keys, since some databases reorder the keys of JSON."""
    return (_LEAF.index(item[0]) if item[0] in _LEAF else len(_LEAF), item[0])


def as_yaml(value: Any) -> Any:
    """The value in a form that is read back unchanged: text that YAML could mistake for something else is quoted."""
    if isinstance(value, CommentedMap):
        return value
    if isinstance(value, str):
        return _text(escape(value))
    if isinstance(value, Mapping):
        return CommentedMap((_text(str(key)), as_yaml(item)) for key, item in value.items())
    if isinstance(value, Sequence):
        return [as_yaml(item) for item in value]
    return value


def _text(words: str) -> Any:
    if "\n" in words and _BLOCK.fullmatch(words):
        return LiteralScalarString(words)
    if _PLAIN.fullmatch(words) and words.lower() not in _WORDS:
        return words
    return DoubleQuotedScalarString(words)
