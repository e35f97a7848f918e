"""PURE. Proposes which column fills which attribute, by their names and by what the values look like."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from activations.screens.editor import meanings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from destinations.contract import Field

SHAPES = {
    "domain": re.compile(r"(https?://)?(www\.)?([a-z0-9-]+\.)+[a-z]{2,}(/\S*)?", re.IGNORECASE),
    "email": re.compile(r"[^\s@]+@[^\s@]+\.[a-z]{2,}", re.IGNORECASE),
    "phone": re.compile(r"(\+|00)[0-9][0-9 ()./-]{6,20}"),
}
"""What a text looks like, by a word that the type of a fitting attribute contains."""
SHAPE_WORDS = {"domain": "domains", "email": "email addresses", "phone": "phone numbers"}
ENOUGH = 0.8
"""The share of the values that must look alike."""
_WORD = re.compile(r"[a-z]+|[0-9]+")


@dataclass(frozen=True)
class Suggestion:
    """A column for an attribute, and why."""

    column: str
    target: str
    reason: str


def suggest(
    values: Mapping[str, Sequence[Any]],
    fields: Sequence[Field],
    *,
    taken: Collection[str],
    used: Collection[str],
    accepts: Callable[[str, Field], bool],
) -> list[Suggestion]:
    """One column for each attribute that seems to fit, each column once, the surest first.

    An attribute is suggested as a whole or by its parts, never both, which the destination refuses.

    Args:
        values: sample values of each column.
        taken: the attributes that are mapped already, the match among them.
        used: the columns that are mapped already.
        accepts: whether the destination would take the sample values of a column for an attribute.
    """
    free = [field for field in fields if field.writable and field.name not in taken]
    ranked = sorted(
        (
            (rank, place, field.custom, position, name, field.name, reason)
            for place, name in enumerate(values)
            if name not in used
            for position, field in enumerate(free)
            if (found := _likeness(name, values[name], field))
            for rank, reason in [found]
            if accepts(name, field)
        ),
    )
    whole = {field.name: field.part_of for field in fields}
    columns: set[str] = set()
    targets = set(taken)
    chosen = []
    for *_, column, target, reason in ranked:
        if column not in columns and target not in targets and not _contradicts(target, targets, whole):
            columns.add(column)
            targets.add(target)
            chosen.append(Suggestion(column, target, reason))
    return chosen


def _contradicts(target: str, targets: Collection[str], whole: Mapping[str, str]) -> bool:
    """Whether an attribute would be mapped both as a whole and by a part."""
    return whole[target] in targets or any(whole.get(other) == target for other in targets)


def propose_match(
    values: Mapping[str, Sequence[Any]],
    fields: Sequence[Field],
    *,
    preferred: str,
    key: str,
    accepts: Callable[[str, Field], bool],
) -> Suggestion | None:
    """The column and the attribute that records can be matched by; None if nothing seems to fit.

    Args:
        values: sample values of the columns that can be the match.
        preferred: the attribute that the service matches by unless a person chooses a different one.
        key: the column that identifies a row of the model.
    """
    matchable = sorted((field for field in fields if field.matchable), key=lambda field: field.name != preferred)
    for field in matchable:
        found = sorted(
            (rank, place, name, reason)
            for place, name in enumerate(values)
            for rank, reason in [_likeness(name, values[name], field) or (9, "")]
            if reason and accepts(name, field)
        )
        if found:
            return Suggestion(found[0][2], field.name, found[0][3])
    for field in matchable:
        if shape_of_type(field.type) is None and key in values and accepts(key, field):
            return Suggestion(key, field.name, "identifies each row")
    return None


def shape_of_type(type_name: str) -> str | None:
    """The shape that values of an attribute must have, by the words of its type; None if any."""
    return next((shape for shape in SHAPES if shape in type_name.lower()), None)


def looks_like(values: Sequence[Any]) -> str | None:
    """The shape that most of the values have; None if there is none."""
    texts = [value.strip() for value in values if isinstance(value, str) and value.strip()]
    if not texts:
        return None
    for shape, pattern in SHAPES.items():
        if sum(pattern.fullmatch(text) is not None for text in texts) >= ENOUGH * len(texts):
            return shape
    return None


def _likeness(column: str, values: Sequence[Any], field: Field) -> tuple[int, str] | None:
    """How sure it is that a column belongs to an attribute, 0 being the surest, and why; None if nothing says so."""
    words = _words(column)
    if field.meaning in meanings.ID_NAMES:
        return (1, f"{field.meaning} by its name") if " ".join(words) in meanings.ID_NAMES[field.meaning] else None
    wanted = shape_of_type(field.type)
    if wanted is not None and looks_like(values) == wanted:
        same = words in (_words(field.name), _words(field.label))
        return (0, "same name") if same else (2, f"values look like {SHAPE_WORDS[wanted]}")
    if words in (_words(field.name), _words(field.label)):
        return 0, "same name"
    if any(_singular(words) == _singular(_words(name)) for name in (field.name, field.label)):
        return 1, "almost the same name"
    if _are_options(values, field):
        return 3, "values are among its options"
    if any(_is_qualified(words, _words(name)) for name in (field.name, field.label)):
        return 4, "similar name"
    about = (*_words(field.part_of), *_words(field.label.partition(":")[0]))
    return meanings.likeness(words, values, field.meaning, about, custom=field.custom)


def _words(name: str) -> tuple[str, ...]:
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    return tuple(_WORD.findall(spaced.lower()))


def _singular(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word.removesuffix("s") for word in words)


def _is_qualified(longer: tuple[str, ...], shorter: tuple[str, ...]) -> bool:
    """Whether one name is the other with words before it that add nothing: company_name and name, not plan_name."""
    before, end = longer[: -len(shorter)], longer[-len(shorter) :]
    return bool(shorter and before) and end == shorter and meanings.OWN.issuperset(before)


def _are_options(values: Sequence[Any], field: Field) -> bool:
    texts = {str(value).strip().casefold() for value in values if value not in (None, "")}
    titles = {option.title.casefold() for option in field.options}
    return bool(texts) and len(texts & titles) >= ENOUGH * len(texts)
