"""PURE. Typed reading of one block of the file, key by key; what was not asked for is an unknown key."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dinmo.workspace.problems import Problems
    from dinmo.workspace.yaml_document import Node

NAME_LENGTH = 200


class Block:
    """One mapping of the file. A wrong value is noted, and an empty one of the right type given back.

    Args:
        what: how messages call it, e.g. "A source".
    """

    def __init__(self, node: Node, what: str, problems: Problems) -> None:
        self.what = what
        self.problems = problems
        self.line = node.line
        self.held: dict[str, Node] = node.value if isinstance(node.value, dict) else {}
        self.asked: set[str] = set()
        self.sound = True
        """False where it builds on something wrong that has been told already."""
        if not isinstance(node.value, dict):
            problems.add(node.line, f"{what} is written as keys with values, e.g. `name: …`.")
            self.broken = True
        else:
            self.broken = False

    def has(self, key: str) -> bool:
        """Whether the key is there, with a value or without."""
        self.asked.add(key)
        return key in self.held

    def node(self, key: str) -> Node | None:
        """What stands under the key; None where it is missing or empty."""
        found = self.held.get(key) if self.has(key) else None
        return None if found is None or found.value is None else found

    def at(self, key: str) -> int:
        """The line of the key, or of the block."""
        return self.held[key].line if key in self.held else self.line

    def wrong(self, key: str, sentence: str) -> None:
        self.problems.add(self.at(key), sentence)

    def text(self, key: str, *, required: bool = False, default: str = "", longest: int = NAME_LENGTH) -> str:
        """A text of at most `longest` letters."""
        node = self.node(key)
        if node is None or (node.value == "" and required):
            if required and not self.broken:
                self.wrong(key, f"{self.what} needs `{key}`.")
            return default
        if not isinstance(node.value, str):
            self.wrong(key, f"`{key}` must be a text." + _quoted(node))
            return default
        if len(node.value) > longest:
            self.wrong(key, f"`{key}` is longer than {longest} letters.")
            return default
        return node.value

    def name(self, key: str = "name", *, required: bool = True) -> str:
        """A name: a text that is more than blanks."""
        found = self.text(key, required=required)
        if found and found != found.strip():
            self.wrong(key, f"`{key}` must not begin or end with a blank.")
        return found

    def choice(self, key: str, choices: Sequence[str], default: str) -> str:
        """One of `choices`."""
        node = self.node(key)
        if node is None:
            return default
        if node.value not in choices or not isinstance(node.value, str):
            self.wrong(key, f"`{key}` must be one of: {', '.join(choices)}.")
            return default
        return node.value

    def whole(self, key: str, default: int, highest: int) -> int:
        """A whole number from 0 to `highest`."""
        node = self.node(key)
        if node is None:
            return default
        if not isinstance(node.value, int) or isinstance(node.value, bool) or not 0 <= node.value <= highest:
            self.wrong(key, f"`{key}` must be a whole number from 0 to {highest}.")
            return default
        return node.value

    def flag(self, key: str, default: bool) -> bool:
        """true or false."""
        node = self.node(key)
        if node is None:
            return default
        if not isinstance(node.value, bool):
            self.wrong(key, f"`{key}` must be true or false.")
            return default
        return node.value

    def items(self, key: str) -> list[Node]:
        """What a list holds; empty where it is missing."""
        node = self.node(key)
        if node is None:
            return []
        if not isinstance(node.value, list):
            self.wrong(key, f"`{key}` must be a list: one `- …` for each.")
            return []
        return node.value

    def texts(self, key: str) -> list[tuple[int, str]]:
        """The texts of a list, each with its line."""
        found = []
        for node in self.items(key):
            if isinstance(node.value, str) and node.value:
                found.append((node.line, node.value))
            else:
                self.problems.add(node.line, f"`{key}` must hold texts." + _quoted(node))
        return found

    def block(self, key: str, what: str) -> Block | None:
        """The block under the key; None where it is missing."""
        node = self.node(key)
        return Block(node, what, self.problems) if node else None

    def blocks(self, key: str, what: str) -> Iterator[Block]:
        """The blocks of a list."""
        for node in self.items(key):
            yield Block(node, what, self.problems)

    def refuse(self, key: str, sentence: str) -> None:
        """Notes `sentence` where the key is written at all."""
        if self.has(key):
            self.wrong(key, sentence)

    def rest(self) -> dict[str, Node]:
        """What has not been asked for, and counts as asked for now."""
        left = {key: node for key, node in self.held.items() if key not in self.asked}
        self.asked |= set(left)
        return left

    def close(self) -> None:
        """Notes each key that has not been asked for."""
        for key, node in self.held.items():
            if key not in self.asked:
                self.problems.add(node.line, f"{self.what} has no `{key}`." + did_you_mean(key, self.asked))

    def lines(self) -> dict[str, int]:
        """The line of each key, and of the block itself under ""."""
        return {"": self.line, **{key: node.line for key, node in self.held.items()}}


def did_you_mean(word: str, known: Any) -> str:
    """ " Did you mean …?" where a known word is close, else what is known."""
    near = get_close_matches(word, sorted(known), n=1)
    if near:
        return f" Did you mean `{near[0]}`?"
    return f" It knows: {', '.join(sorted(known))}." if known else ""


def _quoted(node: Node) -> str:
    return f' Put it in quotes: "{node.written}".' if isinstance(node.value, int | float) else ""
