"""PURE. YAML text → a tree of nodes that know their lines, and the list of what is wrong with a file."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from core.errors import Misconfigured

MAX_DEPTH = 40
MAX_NODES = 200_000
MAX_DIGITS = 300
_TAG = "tag:yaml.org,2002:"
_PLAIN = {"int", "float", "bool", "null", "timestamp"}
_TEXT = {"str", "value", "merge"}
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_BASED = {"0o": (re.compile(r"0o[0-7]+"), 8), "0x": (re.compile(r"0x[0-9a-fA-F]+"), 16)}
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_VARIABLE = re.compile(r"\$(\$\{|\{([^{}]*)\})")


@dataclass(frozen=True)
class Problem:
    """One thing that stands against a file: where, and a sentence that says what to do."""

    line: int
    sentence: str


class Refused(Misconfigured):
    """A workspace file that can't be applied; `problems` holds all that was found, in the order of lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(dict.fromkeys(problems), key=lambda problem: problem.line)
        super().__init__("workspace_refused", "\n".join(problem.sentence for problem in self.problems))


class Problems:
    """Collects what is wrong, so that a person sees all of it at once."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, line: int, sentence: str) -> None:
        self.found.append(Problem(line, sentence))

    def settle(self) -> None:
        """Raises Refused where anything was found."""
        if self.found:
            raise Refused(self.found)


@dataclass(frozen=True)
class Node:
    """A value of the file.

    Args:
        line: where it starts, or where its key stands.
        value: None, bool, int, float, str, a list of nodes, or a dict of nodes by key.
        written: a scalar as it stands in the file, before variables are filled in: safe to show.
    """

    line: int
    value: Any
    written: str = ""

    def plain(self) -> Any:
        """The value with all that it holds, as Python values."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def walk(self) -> Iterator[Node]:
        """This node and all below it, in the order of the file."""
        yield self
        held = self.value.values() if isinstance(self.value, dict) else self.value if isinstance(self.value, list) else ()
        for node in held:
            yield from node.walk()


def parse(text: str, environment: Mapping[str, str]) -> Node:
    """The tree of a YAML 1.2 text with `${NAME}` filled in from `environment`; `$${` stands for a plain `${`.

    Raises:
        Refused: no YAML, or what a workspace file has no use for: tags, doubled keys, missing variables.
    """
    problems = Problems()
    top = _compose(text)
    tree = _Builder(environment, problems).node(top, 1, 0) if top is not None else Node(1, {})
    problems.settle()
    return tree


def escape(text: str) -> str:
    """The text so that `parse` reads it as it is."""
    return text.replace("${", "$${")


def _compose(text: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return YAML(typ="rt", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Refused([Problem(mark.line + 1 if mark else 1, f"This is no valid YAML: {_told(error)}.")]) from None
    except RecursionError:
        raise Refused([Problem(1, "This is nested too deeply.")]) from None
    except (YAMLError, ValueError, LookupError, TypeError, AttributeError, AssertionError, NotImplementedError) as error:
        # The parser lets some defects of its input surface as plain Python errors.
        line = _line_of(error, text)
        raise Refused([Problem(line, "This is no valid YAML.")]) from None


def _told(error: MarkedYAMLError) -> str:
    words = " ".join(str(part) for part in (error.context, error.problem) if part)
    return " ".join(words.split()).rstrip(".") or "it can't be read"


def _line_of(error: Exception, text: str) -> int:
    position = getattr(error, "position", None)
    return text.count("\n", 0, position) + 1 if isinstance(position, int) else 1


class _Builder:
    """Turns the parser's nodes into ours, with a bound on depth and number: an alias can hold itself, or a million others."""

    def __init__(self, environment: Mapping[str, str], problems: Problems) -> None:
        self.environment = environment
        self.problems = problems
        self.count = 0

    def node(self, raw: Any, line: int, depth: int) -> Node:
        self.count += 1
        if depth > MAX_DEPTH or self.count > MAX_NODES:
            raise Refused([Problem(line, "This is nested too deeply, or repeats itself too often.")])
        if isinstance(raw, MappingNode):
            return self._mapping(raw, line, depth)
        if isinstance(raw, SequenceNode):
            self._refuse_tag(raw, {"seq"}, line)
            return Node(line, [self.node(item, item.start_mark.line + 1, depth + 1) for item in raw.value])
        return self._scalar(raw, line)

    def _mapping(self, raw: MappingNode, line: int, depth: int) -> Node:
        self._refuse_tag(raw, {"map"}, line)
        found: dict[str, Node] = {}
        for key, value in raw.value:
            at = key.start_mark.line + 1
            if not isinstance(key, ScalarNode):
                self.problems.add(at, "A key must be a word.")
            elif key.value in found:
                self.problems.add(at, f"The key {key.value!r} stands here twice.")
            else:
                found[key.value] = self.node(value, at, depth + 1)
        return Node(line, found)

    def _scalar(self, raw: ScalarNode, line: int) -> Node:
        self._refuse_tag(raw, _PLAIN | _TEXT, line)
        text = str(raw.value)
        if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
            self.problems.add(line, "This text holds a character that can't be stored.")
        plain = raw.style is None and str(raw.tag).removeprefix(_TAG) in _PLAIN
        value = self._resolve(text, line) if plain else self._filled(text, line)
        return Node(line, value, text)

    def _refuse_tag(self, raw: Any, allowed: set[str], line: int) -> None:
        if str(raw.tag).removeprefix(_TAG) not in allowed:
            self.problems.add(line, f"The tag {str(raw.tag).replace(_TAG, '!!')!r} has no meaning in a workspace file. Leave it out.")

    def _resolve(self, text: str, line: int) -> Any:
        """A plain word by the core schema of YAML 1.2; a date stays text."""
        if text in _WORDS:
            return _WORDS[text]
        pattern, base = _BASED.get(text[:2], (_INTEGER, 10))
        if pattern.fullmatch(text) and len(text) <= MAX_DIGITS:
            return int(text[2:] if base != 10 else text, base)
        if _FLOAT.fullmatch(text):
            return self._number(text, line)
        if re.fullmatch(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", text):
            self.problems.add(line, f"{text} is no number that can be compared. Put it in quotes if it is a text.")
        return text

    def _number(self, text: str, line: int) -> float:
        number = float(text)
        if not math.isfinite(number) or len(text) > MAX_DIGITS:
            self.problems.add(line, "This number is too large.")
            return 0.0
        return number

    def _filled(self, text: str, line: int) -> str:
        return _VARIABLE.sub(lambda match: self._variable(match, line), text)

    def _variable(self, match: re.Match[str], line: int) -> str:
        if match[1] == "${":
            return "${"
        name = match[2]
        if name not in self.environment:
            hint = f"Set it before applying, or write $${{{name}}} where a plain text is meant."
            self.problems.add(line, f"The environment variable {name!r} is not set. {hint}")
        return self.environment.get(name, "")
