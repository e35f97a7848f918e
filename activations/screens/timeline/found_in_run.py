"""Searches the changes of one run: a small one for parts of names, a large one by the indexes for beginnings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Q

from activations.models import Change
from activations.screens.timeline.found_records import FIELDS, begin_with
from core.text.folding import folded

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from activations.models import Run

MOST_READ = 20_000
"""A search for a part of a name reads all changes of a run. If it planned more, the search is for beginnings."""

MOST_READ_FIRST, MOST_OF_EACH = 2_000, 200
"""How many changes of a large run are read before its indexes are, and how many each of these may find."""


def is_by_beginning(run: Run) -> bool:
    """Whether names of this run are found by their beginning alone."""
    return run.planned > MOST_READ and connection.vendor != "sqlite"


def mentioning(run: Run, changes: QuerySet[Any], text: str) -> QuerySet[Any]:
    """Those of a run's changes that have the text in their name, or begin with it in key, match value or remote ID.

    Of a large run, those that begin with it in any of these, at most `MOST_OF_EACH` for each.
    """
    if not is_by_beginning(run):
        return changes.filter(
            Q(key__startswith=text) | _named(text) | Q(match_identity__istartswith=text) | Q(remote_id__startswith=text)
        )
    return changes.filter(pk__in=_among_first(run, text) or _by_indexes(run, text))


def _among_first(run: Run, text: str) -> set[int]:
    """Changes that are found among the first ones of the run; empty if these are too few to fill the list.

    For a text with which most records begin, the indexes would return millions of changes of all runs.
    """
    first = Change.objects.filter(run=run).order_by("state", "pk").values("pk")[:MOST_READ_FIRST]
    matching = Change.objects.filter(pk__in=first).filter(_begins(text)).order_by()
    found = set(matching.values_list("pk", flat=True)[:MOST_OF_EACH])
    return found if len(found) >= MOST_OF_EACH else set()


def _begins(text: str) -> Q:
    found = Q()
    for name in FIELDS:
        found |= Q(**{f"{name}__istartswith": text})
    plain = folded(text)
    return found | Q(name__istartswith=plain) | Q(plain_name__startswith=plain) if plain else found


def _named(text: str) -> Q:
    """Those with the text in their name, with or without accents."""
    plain = folded(text)
    found = Q(name__icontains=text)
    return found | Q(name__icontains=plain) | Q(plain_name__contains=plain) if plain else found


def _by_indexes(run: Run, text: str) -> set[int]:
    found: set[int] = set()
    for changes in begin_with(text):
        # Without an order, which would make PostgreSQL look for all of them before it returns the first ones.
        found.update(changes.filter(run=run).order_by().values_list("pk", flat=True)[:MOST_OF_EACH])
    return found
