"""PURE. Which conversions lost something: digits, the time of day, fractions of a second, or control characters.

The source's text of a value is compared with its JSON. Most values that are converted together can't lose anything, so
they are not compared: only those of mappings that round, and all that were converted one by one. Spellings that are
normalized, such as the path of a web address that becomes a domain, are no loss. Nor is what a template leaves out.
"""

from __future__ import annotations

import re
from datetime import datetime, time
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from destinations.kit.values import times
from destinations.kit.values.decimals import decimal
from destinations.kit.values.text import CONTROL, has_control
from segments.contract import ColumnType

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from activations.planning.conversion.columns import Converted
    from activations.planning.conversion.slots import Layout, Slot

_NUMBER = r'^"?-?[0-9]'
_DAY = r'^"[0-9]{4}-[0-9]{2}-[0-9]{2}"$'
_IS_DAY, _IS_WHOLE = re.compile(_DAY, re.ASCII), re.compile(r"-?[0-9]+", re.ASCII)
_DECIMALS = r"\.[0-9]*[1-9]|[eE]"


class Losses:
    """Counts the values of a plan's changes that lost something, by attribute."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.places = [_places(layout, slot) for slot in layout.slots]
        self.sent = np.zeros(len(layout.slots), dtype=np.int64)
        self.lost = np.zeros(len(layout.slots), dtype=np.int64)

    def note(self, columns: Sequence[Converted], sends: np.ndarray, texts: pl.DataFrame) -> None:
        """Adds a batch of rows.

        Args:
            columns: the converted values of each slot.
            sends: which of them are sent; shape (rows, slots).
            texts: the rows as text, in the layout's columns.
        """
        self.sent += sends.sum(axis=0)
        for number, slot in enumerate(self.layout.slots):
            if slot.columns and not slot.is_match:
                self.lost[number] += self._lost(number, slot, columns[number], sends[:, number], texts)

    def stored(self) -> dict[str, list[int]]:
        """How many values of each attribute lost something, and how many are sent. Only attributes with a loss."""
        counts = zip(self.layout.slots, self.lost.tolist(), self.sent.tolist(), strict=True)
        return {slot.field.name: [lost, sent] for slot, lost, sent in counts if lost}

    def _lost(self, number: int, slot: Slot, column: Converted, sends: np.ndarray, texts: pl.DataFrame) -> int:
        zone, places = self.layout.zone, self.places[number]
        if slot.rounds and not slot.template:
            text = texts[str(self.layout.columns.index(slot.column))]
            return int(compared(text, column.json, zone, sends).sum())
        singly = int(compared(column.text, column.json, zone, sends & ~column.plain).sum())
        together = sends & column.plain
        if places is None or not together.any():
            return singly
        return singly + int((rounded(column.text, places) & together).sum())


def rounded(text: pl.Series, places: int) -> np.ndarray:
    """Which numbers have more decimals than `places`, zeros at the end not counted."""
    lost: np.ndarray = text.str.contains(rf"\.[0-9]{{{places}}}[0-9]*[1-9]").fill_null(False).to_numpy()
    return lost


def compared(text: pl.Series, json: pl.Series, zone: ZoneInfo, wanted: np.ndarray) -> np.ndarray:
    """Which of the wanted values lost something, from the source's text and the JSON of the wire value."""
    lost = np.zeros(len(text), dtype=bool)
    if not wanted.any():
        return lost
    places = np.flatnonzero(_candidates(text, json) & wanted)
    known: dict[tuple[str, str], bool] = {}
    for place, pair in zip(places.tolist(), zip(text.gather(places), json.gather(places), strict=True), strict=True):
        if pair not in known:
            known[pair] = is_lossy(*pair, zone)
        lost[place] = known[pair]
    return lost


def is_lossy(text: str, json: str, zone: ZoneInfo) -> bool:
    """Whether one value lost something. `zone`: of the source's clocks, which decide where a day begins."""
    if has_control(text):
        return True
    moment = times.parse(text) if ":" in text else None
    if isinstance(moment, datetime):
        return _lost_time(moment, json, zone)
    number, sent = decimal(text), decimal(json.strip('"'))
    if number is None or sent is None:
        return False
    # As doubles: a quotient with 20 decimals loses nothing that anybody would miss.
    return float(number) != float(sent)


def _lost_time(moment: datetime, json: str, zone: ZoneInfo) -> bool:
    if _IS_WHOLE.fullmatch(json):
        return moment.microsecond > 0
    if not _IS_DAY.fullmatch(json):
        return False
    try:
        local = moment.astimezone(zone) if moment.tzinfo else moment
    except OverflowError:
        return True
    return local.time() != time.min


def _places(layout: Layout, slot: Slot) -> int | None:
    """To how many decimals the values that are converted together are rounded; None if they are not."""
    kind = ColumnType.TEXT if slot.template else layout.types.get(slot.column, ColumnType.TEXT)
    plain = layout.service.plain(slot.field, str(kind)) if slot.columns else None
    return plain.places if plain and plain.rounds else None


def _candidates(text: pl.Series, json: pl.Series) -> np.ndarray:
    """Values that may have lost something, found by the column, because a Python call for each would be slow."""
    source, wire = pl.col("text"), pl.col("json")
    may_lose = (
        source.str.contains(f"[{CONTROL}]")
        | (wire.str.contains(_NUMBER) & source.str.contains(_DECIMALS))
        | (wire.str.contains(_DAY) & source.str.contains(":", literal=True))
    )
    frame = pl.DataFrame([text.alias("text"), json.alias("json")])
    wanted = frame.select((may_lose & wire.is_not_null()).fill_null(False).alias("may_lose"))["may_lose"]
    found: np.ndarray = wanted.to_numpy()
    return found
