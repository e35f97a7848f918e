"""PURE. Reads one block of the file, key by key and with types. A key that was never read is an unknown key."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar

from core.text.characters import is_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dinmo.workspace.problems import Problems
    from dinmo.workspace.yaml_document import Node

NAME_LENGTH = 200
F = TypeVar("F", bound=bool | None)

NONE = "none"
"""How a file switches off a number, besides `null`, which an export would leave out."""


class Block:
    """One mapping of the file. If a value is wrong, its problem is added and an empty value of the right type returned.

    Args:
        what: its name in messages, e.g. "A source".
    """

    def __init__(self, node: Node, what: str, problems: Problems) -> None:
        self.what = what
        self.problems = problems
        self.line = node.line
        self.nodes: dict[str, Node] = node.value if isinstance(node.value, dict) else {}
        self.read_keys: set[str] = set()
        self.usable = True
        """False if it depends on something wrong that is already among the problems."""
        if not isinstance(node.value, dict):
            problems.add(node.line, f"{what} must consist of keys with values, such as `name: …`.")
            self.broken = True
        else:
            self.broken = False

    def has(self, key: str) -> bool:
        """Whether the key is present, with or without a value."""
        self.read_keys.add(key)
        return key in self.nodes

    def node(self, key: str) -> Node | None:
        """The value of the key; None if it is missing or empty."""
        node = self.nodes.get(key) if self.has(key) else None
        return None if node is None or node.value is None else node

    def at(self, key: str) -> int:
        """The line of the key, or of the block if the key is missing."""
        return self.nodes[key].line if key in self.nodes else self.line

    def report(self, key: str, sentence: str) -> None:
        """Adds a problem at the line of the key."""
        self.problems.add(self.at(key), sentence)

    def text(self, key: str, *, required: bool = False, default: str = "", longest: int = NAME_LENGTH) -> str:
        """A text of at most `longest` characters."""
        node = self.node(key)
        if node is None or (node.value == "" and required):
            if required and not self.broken:
                self.report(key, f"{self.what} needs `{key}`.")
            return default
        if not isinstance(node.value, str):
            self.report(key, f"`{key}` must be text." + _quoted(node))
            return default
        if len(node.value) > longest:
            self.report(key, f"`{key}` must not be longer than {longest} characters.")
            return default
        return node.value

    def name(self, key: str = "name", *, required: bool = True) -> str:
        """A name: a text without whitespace at its ends."""
        name = self.text(key, required=required)
        if name != name.strip():
            self.report(key, f"`{key}` must not begin or end with whitespace.")
        elif not is_one_line(name):
            self.report(key, f"`{key}` must not contain line breaks or other control characters.")
        return name

    def choice(self, key: str, choices: Sequence[str], default: str) -> str:
        """One of `choices`."""
        node = self.node(key)
        if node is None:
            return default
        if node.value not in choices or not isinstance(node.value, str):
            self.report(key, f"`{key}` must be one of: {', '.join(choices)}.")
            return default
        return node.value

    def whole(self, key: str, default: int, highest: int) -> int:
        """A whole number from 0 to `highest`."""
        node = self.node(key)
        if node is None:
            return default
        if not isinstance(node.value, int) or isinstance(node.value, bool) or not 0 <= node.value <= highest:
            self.report(key, f"`{key}` must be a whole number from 0 to {highest}.")
            return default
        return node.value

    def whole_or_none(self, key: str, default: int | None, highest: int) -> int | None:
        """A whole number from 0 to `highest`, or None for `null` or `none`."""
        node = self.node(key)
        if node is None:
            return None if self.has(key) else default
        if node.value == NONE:
            return None
        if not isinstance(node.value, int) or isinstance(node.value, bool) or not 0 <= node.value <= highest:
            self.report(key, f"`{key}` must be a whole number from 0 to {highest}, or null to switch it off.")
            return default
        return node.value

    def flag(self, key: str, default: F) -> bool | F:
        """true or false; `default` if it is missing or something else."""
        node = self.node(key)
        if node is None:
            return default
        if not isinstance(node.value, bool):
            self.report(key, f"`{key}` must be true or false.")
            return default
        return node.value

    def items(self, key: str) -> list[Node]:
        """The items of a list; empty if it is missing."""
        node = self.node(key)
        if node is None:
            return []
        if not isinstance(node.value, list):
            self.report(key, f"`{key}` must be a list, with one `- …` for each item.")
            return []
        return node.value

    def texts(self, key: str) -> list[tuple[int, str]]:
        """The texts of a list, each with its line."""
        texts = []
        for node in self.items(key):
            if isinstance(node.value, str) and node.value:
                texts.append((node.line, node.value))
            else:
                self.problems.add(node.line, f"Every item of `{key}` must be text." + _quoted(node))
        return texts

    def block(self, key: str, what: str) -> Block | None:
        """The block under the key; None if it is missing."""
        node = self.node(key)
        return Block(node, what, self.problems) if node else None

    def blocks(self, key: str, what: str) -> Iterator[Block]:
        """The blocks of a list."""
        for node in self.items(key):
            yield Block(node, what, self.problems)

    def refuse(self, key: str, sentence: str) -> None:
        """Adds `sentence` as a problem if the key is present."""
        if self.has(key):
            self.report(key, sentence)

    def rest(self) -> dict[str, Node]:
        """The keys that have not been read yet. They count as read from now on."""
        unread = {key: node for key, node in self.nodes.items() if key not in self.read_keys}
        self.read_keys |= set(unread)
        return unread

    def close(self) -> None:
        """Adds a problem for each key that was never read: it is unknown."""
        for key, node in self.nodes.items():
            if key not in self.read_keys:
                self.problems.add(node.line, f"{self.what} has no key `{key}`." + did_you_mean(key, self.read_keys))

    def lines(self) -> dict[str, int]:
        """The line of each key, and that of the block itself under ""."""
        return {"": self.line, **{key: node.line for key, node in self.nodes.items()}}


def did_you_mean(word: str, known: Any) -> str:
    """A sentence to append: the known word that is most similar, or else all known words."""
    near = get_close_matches(word, sorted(known), n=1)
    if near:
        return f" Did you mean `{near[0]}`?"
    return f" Choose one of: {', '.join(sorted(known))}." if known else ""


def _quoted(node: Node) -> str:
    return f' Put it in quotes: "{node.written}".' if isinstance(node.value, int | float) else ""
