"""What runs did about one hidden record, for its timeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from activations import digests
from activations.models import Attachment
from activations.screens.attached import listing

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


def entries(activations: Mapping[int, Activation], key: str) -> list[AttachedEntry]:
    """The latest attempts, newest first.

    Args:
        activations: those that the page is about, by ID.
    """
    found = Attachment.objects.filter(key_digest=digests.of_text(key), key=key, run__activation__in=activations)
    return [
        AttachedEntry(each.at, activations[each.run.activation_id], each.run, listing.colored(each),
                      listing.sentence(each, listing.nouns(activations[each.run.activation_id])))
        for each in found.select_related("run").order_by("-pk")[:MOST]
    ]  # fmt: skip
