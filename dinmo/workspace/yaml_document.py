"""PURE. Parses YAML into a tree of nodes with their lines, and replaces environment variables."""

from __future__ import annotations

import math
import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from dinmo.workspace.problems import Problem, Problems, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_DEPTH = 40
MAX_NODES = 200_000
MAX_DIGITS = 300
_PARSER_ERRORS = (YAMLError, ValueError, LookupError, TypeError, AttributeError, AssertionError, NotImplementedError)
"""For some defects of its input, the parser raises plain Python errors."""
_TAG = "tag:yaml.org,2002:"
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_BASED = {"0o": (re.compile(r"0o[0-7]+"), 8), "0x": (re.compile(r"0x[0-9a-fA-F]+"), 16)}
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_VARIABLE = re.compile(r"\$(\$\{|\{([^{}]*)\})")


@dataclass(frozen=True)
class Node:
    """A value of the file.

    Args:
        line: the line of its key, or else the line where it starts.
        value: None, bool, int, float, str, a list of nodes, or a dict of nodes by key.
        written: a scalar as written in the file, before variables are replaced. Safe to show.
    """

    line: int
    value: Any
    written: str = ""

    def plain(self) -> Any:
        """The value and everything in it, as Python values."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def walk(self) -> Iterator[Node]:
        """This node and all below it, in the order of the file."""
        yield self
        children = (
            self.value.values() if isinstance(self.value, dict) else self.value if isinstance(self.value, list) else ()
        )
        for node in children:
            yield from node.walk()


def parse(text: str, environment: Mapping[str, str], problems: Problems) -> Node:
    """The tree of a YAML 1.2 text, with each `${NAME}` replaced from `environment`. `$${` stands for a literal `${`.

    Args:
        problems: receives what a workspace file must not contain: tags, duplicate keys, variables that are not set.

    Raises:
        Refused: the text is not valid YAML, or is nested too deeply.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _Builder(YAML(typ="rt", pure=True).parse(text), environment, problems).document()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Refused([Problem(mark.line + 1 if mark else 1, f"This is not valid YAML: {_reason(error)}.")]) from None
    except _PARSER_ERRORS as error:
        raise Refused([Problem(_line_of(error, text), "This is not valid YAML.")]) from None


def escape(text: str) -> str:
    """The text in a form that `parse` returns unchanged."""
    return text.replace("${", "$${")


def _reason(error: MarkedYAMLError) -> str:
    words = " ".join(str(part) for part in (error.context, error.problem) if part)
    return " ".join(words.split()).rstrip(".") or "it can't be parsed"


def _line_of(error: Exception, text: str) -> int:
    position = getattr(error, "position", None)
    return text.count("\n", 0, position) + 1 if isinstance(position, int) else 1


class _Builder:
    """Builds the tree from the parser's events. Refuses a tree that is too deep or, because of aliases, too large.

    A few lines of aliases that refer to lists of aliases describe billions of nodes. An alias therefore counts as all
    the nodes that it stands for.
    """

    def __init__(self, parsed: Iterator[Any], environment: Mapping[str, str], problems: Problems) -> None:
        self.parsed = parsed
        self.environment = environment
        self.problems = problems
        self.anchors: dict[str, tuple[Node, int, int]] = {}
        """The node of each anchor, with the number of nodes in it and their depth."""
        self.count = 0
        self.deepest = 0

    def document(self) -> Node:
        tree = Node(1, {})
        documents = 0
        for event in self.parsed:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise Refused(
                        [
                            Problem(
                                event.start_mark.line + 1,
                                "A workspace file must be a single document. Remove this `---`.",
                            )
                        ]
                    )
                root = self._node(next(self.parsed), 1, 0)
                tree = tree if root.value is None else root
        return tree

    def _node(self, event: Any, line: int, depth: int) -> Node:
        if isinstance(event, AliasEvent):
            return self._alias(event, line, depth)
        before, deepest = self.count, self.deepest
        self.deepest = depth
        self._grow(1, depth, line)
        node = self._value(event, line, depth)
        if event.anchor:
            self.anchors[event.anchor] = (node, self.count - before, self.deepest - depth)
        self.deepest = max(self.deepest, deepest)
        return node

    def _alias(self, event: Any, line: int, depth: int) -> Node:
        if event.anchor not in self.anchors:
            self.problems.add(line, f"There is no anchor {event.anchor!r} before this alias.")
            return Node(line, None)
        node, size, height = self.anchors[event.anchor]
        self._grow(size, depth + height, line)
        return Node(line, node.value, node.written)

    def _grow(self, nodes: int, depth: int, line: int) -> None:
        self.count += nodes
        self.deepest = max(self.deepest, depth)
        if depth > MAX_DEPTH or self.count > MAX_NODES:
            raise Refused([Problem(line, "This is nested too deeply, or repeats too much by aliases.")])

    def _value(self, event: Any, line: int, depth: int) -> Node:
        if isinstance(event, MappingStartEvent):
            self._refuse_tag(event, "map", line)
            return self._mapping(line, depth)
        if isinstance(event, SequenceStartEvent):
            self._refuse_tag(event, "seq", line)
            items: list[Node] = []
            while not isinstance(item := next(self.parsed), SequenceEndEvent):
                items.append(self._node(item, item.start_mark.line + 1, depth + 1))
            return Node(line, items)
        return self._scalar(event, line)

    def _mapping(self, line: int, depth: int) -> Node:
        nodes: dict[str, Node] = {}
        while not isinstance(key := next(self.parsed), MappingEndEvent):
            at = key.start_mark.line + 1
            plain = isinstance(key, ScalarEvent)
            if not plain:
                self._node(key, at, depth + 1)
                self.problems.add(at, "A key must be a single word or text.")
            value = self._node(next(self.parsed), at, depth + 1)
            if plain and key.value in nodes:
                self.problems.add(at, f"The key {key.value!r} appears twice in this block.")
            elif plain:
                nodes[key.value] = value
        return Node(line, nodes)

    def _scalar(self, event: Any, line: int) -> Node:
        text = str(event.value)
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            self.problems.add(line, "This text contains a character that can't be stored.")
        self._refuse_tag(event, "str", line)
        plain = event.style is None and event.tag is None
        return Node(line, self._resolve(text, line) if plain else self._fill(text, line), text)

    def _refuse_tag(self, event: Any, usual: str, line: int) -> None:
        if event.tag not in (None, "!", _TAG + usual):
            self.problems.add(
                line, f"The tag {event.tag.replace(_TAG, '!!')!r} has no meaning in a workspace file. Remove it."
            )

    def _resolve(self, text: str, line: int) -> Any:
        """The value of an unquoted word by the core schema of YAML 1.2. A date stays text."""
        if text in _WORDS:
            return _WORDS[text]
        pattern, base = _BASED.get(text[:2], (_INTEGER, 10))
        if pattern.fullmatch(text) and len(text) <= MAX_DIGITS:
            return int(text[2:] if base != 10 else text, base)
        if _FLOAT.fullmatch(text):
            return self._number(text, line)
        if re.fullmatch(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", text):
            self.problems.add(
                line, f"{text} is not a number that can be compared. If it is meant as text, put it in quotes."
            )
        return self._fill(text, line)

    def _number(self, text: str, line: int) -> float:
        number = float(text)
        if not math.isfinite(number) or len(text) > MAX_DIGITS:
            self.problems.add(line, "This number is too large.")
            return 0.0
        return number

    def _fill(self, text: str, line: int) -> str:
        return _VARIABLE.sub(lambda match: self._variable(match, line), text)

    def _variable(self, match: re.Match[str], line: int) -> str:
        if match[1] == "${":
            return "${"
        name = match[2]
        if not name:
            self.problems.add(
                line, "`${}` lacks the name of an environment variable. Write `${NAME}`, or `$${}` for a literal `${}`."
            )
        elif name not in self.environment:
            hint = f"Set it and apply the file again, or write $${{{name}}} for a literal ${{{name}}}."
            self.problems.add(line, f"The environment variable {name!r} is not set. {hint}")
        return self.environment.get(name, match[0])
