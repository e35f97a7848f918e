"""What a run did about hidden records: a page of them, and a CSV file of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator

from activations.models import Attachment
from activations.screens.hidden_values import mask_attachment
from activations.screens.run import download
from core.web.screens import pill
from destinations.registry import services

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.utils.safestring import SafeString

    from activations.models import Activation, Run

PER_PAGE = 20
PAGE = "attached"
"""The query parameter with the number of the page."""
COLUMNS = ["key", "name", "outcome", "attached", "reason", "people tried"]
TONES = {
    Attachment.Outcome.ATTACHED: "good",
    Attachment.Outcome.VISIBLE: "good",
    Attachment.Outcome.UNKNOWN: "calm",
    Attachment.Outcome.REFUSED: "bad",
}


def page(run: Run, query: Mapping[str, str], *, sees: bool) -> dict[str, Any]:
    """One page of what the run did. Refusals come first, then what was attached."""
    listed = Attachment.objects.filter(run=run).order_by("outcome", "pk").reverse()
    shown = Paginator(listed, PER_PAGE).get_page(query.get(PAGE))
    words = nouns(run.activation)
    found = list(shown.object_list) if sees else [mask_attachment(each) for each in shown.object_list]
    rows = [(each, colored(each), sentence(each, words)) for each in found]
    return {"attached_page": shown, "attached_rows": rows, "attached_nouns": words}


def sentence(attachment: Attachment, words: tuple[str, str]) -> str:
    """What happened to one hidden record, in words.

    Args:
        words: as `nouns` returns them.
    """
    if attachment.outcome == Attachment.Outcome.ATTACHED:
        number = len(attachment.attached)
        return f"Attached to {number} {words[0] if number == 1 else words[1]}."
    if attachment.outcome == Attachment.Outcome.VISIBLE:
        return "It had become visible already, so nothing was sent."
    return attachment.message


def lines(run: Run, *, sees: bool) -> Iterator[str]:
    """The file in pieces. However many rows there are, a few thousand are in memory.

    Args:
        sees: whether it contains names of records, and what the destination said.
    """
    yield download.MARK + download.written([COLUMNS])
    words, last = nouns(run.activation), 0
    rows = Attachment.objects.filter(run=run).order_by("pk")
    while batch := list(rows.filter(pk__gt=last)[: download.ROWS_AT_A_TIME]):
        yield download.written(_row(each if sees else mask_attachment(each), words) for each in batch)
        last = batch[-1].pk


def _row(each: Attachment, words: tuple[str, str]) -> list[str]:
    outcome = str(each.get_outcome_display())
    cells = (each.key, each.name, outcome, " ".join(each.attached), sentence(each, words), str(each.candidates))
    return [download.safe(cell) for cell in cells]


def colored(attachment: Attachment) -> SafeString:
    """The outcome as a colored pill."""
    return pill(str(attachment.get_outcome_display()), TONES[Attachment.Outcome(attachment.outcome)])


def nouns(activation: Activation) -> tuple[str, str]:
    """The words for one of the records that the activation attaches, and for several."""
    reveals = services[activation.destination.service].reveals
    return reveals.nouns if reveals else ("record", "records")
