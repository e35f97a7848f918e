"""PURE. Which roles the groups of a person at the identity provider give here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def roles(groups: Iterable[str], mapping: Mapping[str, str], default: str) -> frozenset[str]:
    """The roles of a person. Empty: the person may not use this installation.

    Args:
        groups: what the provider says.
        mapping: the role that each group gives.
        default: the role of a person none of whose groups gives one; "" for none.
    """
    given = {mapping[group] for group in groups if group in mapping}
    return frozenset(given or ({default} if default else ()))


def governed(mapping: Mapping[str, str], default: str) -> frozenset[str]:
    """The roles that the provider gives and takes. It leaves all others as they are."""
    return frozenset({*mapping.values(), *([default] if default else [])})


def group_names(claim: object) -> list[str]:
    """The groups in a claim, which providers send as a list or, if there is one only, as text."""
    if isinstance(claim, str):
        return [claim]
    return [each for each in claim if isinstance(each, str)] if isinstance(claim, list) else []
