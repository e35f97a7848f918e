"""PURE. Which column identifies a row and which one names it, guessed from names, types and sample values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KEY_TYPES = ("text", "integer")
CERTAIN = 4
"""From this score on, the name of the column leaves no doubt."""
_WORDS = {"id": 6, "uuid": 5, "guid": 5, "key": 3, "code": 2, "number": 2, "email": 2, "domain": 2}
_NAMES = ("name", "full_name", "company_name", "company", "title", "label", "email", "domain")


@dataclass(frozen=True)
class Guess:
    """A column, "" if none qualifies, and whether a person should confirm it."""

    column: str
    sure: bool


def key(types: Mapping[str, str], rows: Sequence[Mapping[str, Any]], table: str = "") -> Guess:
    """The column that identifies a row: never empty and never repeated in the sample, and named like one.

    Args:
        types: the type of each column, in the source's order.
        rows: sample rows.
        table: the name of the table. In companies, `company_id` identifies a row, and `owner_id` doesn't.
    """
    candidates = [name for name, kind in types.items() if kind in KEY_TYPES and _is_unique(name, rows)]
    scores = {name: _score(name, table) for name in candidates}
    best = max(candidates, key=lambda name: scores[name], default="")
    sure = bool(best) and (scores[best] >= CERTAIN or len(candidates) == 1)
    return Guess(best, sure)


def display(types: Mapping[str, str], key_column: str) -> str:
    """The text column that names a row for people; "" if no column looks like a name."""
    texts = {name.lower(): name for name, kind in types.items() if kind == "text" and name != key_column}
    for wanted in _NAMES:
        if wanted in texts:
            return texts[wanted]
    return next((name for lower, name in texts.items() if lower.endswith("name")), "")


def _is_unique(name: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    values = [row.get(name) for row in rows]
    return all(value not in (None, "") for value in values) and len({str(value) for value in values}) == len(values)


def _score(name: str, table: str) -> int:
    words = name.lower().replace("-", "_").replace(" ", "_").split("_")
    if len(words) == 1:
        return _WORDS.get(words[0], 0)
    about = "_".join(words[:-1])
    own = bool(table) and about[:4] == table.rpartition(".")[2].lower()[:4]
    return min(_WORDS.get(words[-1], 0), 5 if own else 3)
