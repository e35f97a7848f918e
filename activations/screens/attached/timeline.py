"""What runs did about one hidden record, for its timeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from activations import digests
from activations.models import Attachment
from activations.screens.attached import listing
from activations.screens.hidden_values import mask_attachment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.utils.safestring import SafeString

    from activations.models import Activation, Run

MOST = 50


@dataclass(frozen=True)
class AttachedEntry:
    """One attempt to make the record visible, as the page lists it."""

    at: datetime
    activation: Activation
    run: Run
    pill: SafeString
    sentence: str


def entries(activations: Mapping[int, Activation], key: str, *, sees: bool) -> list[AttachedEntry]:
    """The latest attempts, newest first.

    Args:
        activations: those that the page is about, by ID.
        sees: whether what the destination said is shown.
    """
    found = Attachment.objects.filter(key_digest=digests.of_text(key), key=key, run__activation__in=activations)
    latest = found.select_related("run").order_by("-pk")[:MOST]
    return [
        AttachedEntry(each.at, activations[each.run.activation_id], each.run, listing.colored(each),
                      listing.sentence(each, listing.nouns(activations[each.run.activation_id])))
        for each in (row if sees else mask_attachment(row) for row in latest)
    ]  # fmt: skip
