"""PURE. What the rows of a mapping would send for sample rows: three examples of each, and what is wrong, in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from activations.planning.samples import Sample, SampleColumns, SampleMapping, convert_samples
from activations.screens.editor.words import share
from core.text.listing import listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from destinations.contract import Field, Service

EXAMPLES = 3
LISTED_VALUES = 5
"""How many unknown options are named."""


@dataclass(frozen=True)
class RowSamples:
    """What one row of the mapping would do.

    Args:
        examples: three rows, a refused one among them if there is any.
        problem: what is wrong, in words; "" if nothing is.
        empty: the share of rows without a value, in words; "" if all have one.
        fix: the option that would solve the problem: "round_to_whole"; "" if none is known.
    """

    examples: Sequence[Sample] = ()
    problem: str = ""
    empty: str = ""
    fix: str = ""


def row_samples(
    service: Service, field: Field, mapping: SampleMapping, columns: SampleColumns, rows: Sequence[Mapping[str, Any]]
) -> RowSamples:
    """What a mapping would send for the sample rows."""
    # A match only needs to be found by: Intercom's company ID can't be changed once it is set.
    if not field.writable and not (mapping.is_match and field.matchable):
        return RowSamples(problem=f"{field.label} is read-only. {field.read_only_reason}".strip())
    samples = convert_samples(service, field, mapping, columns, rows)
    refused = [sample for sample in samples if sample.problem and not is_empty_match(sample)]
    if not refused:
        return RowSamples(examples(samples), empty=empty_share(samples, mapping))
    fix = ""
    if not mapping.rounds and (mapping.column or mapping.template):
        rounded = convert_samples(service, field, replace(mapping, rounds=True), columns, rows)
        fix = "" if any(sample.problem and not is_empty_match(sample) for sample in rounded) else "round_to_whole"
    return RowSamples(examples(samples), refusal(refused, len(samples), field), empty_share(samples, mapping), fix)


def is_empty_match(sample: Sample) -> bool:
    """Whether a row only lacks a match, which is counted and not a mistake of the mapping."""
    return sample.code == "match_empty"


def accepted_share(samples: Sequence[Sample]) -> float:
    """The share of rows with a value that would be accepted; 0 if no row has a value."""
    filled = [sample for sample in samples if sample.source]
    return sum(not sample.problem for sample in filled) / len(filled) if filled else 0.0


def examples(samples: Sequence[Sample]) -> list[Sample]:
    """Different values, in the order of the rows: three that would be sent, or two and a refused one."""
    different: dict[str, Sample] = {}
    for sample in samples:
        different.setdefault(sample.source, sample)
    filled = [sample for sample in different.values() if sample.source] or list(different.values())
    refused = [sample for sample in filled if sample.problem]
    fine = [sample for sample in filled if not sample.problem]
    chosen = [*fine[: EXAMPLES - min(1, len(refused))], *refused][:EXAMPLES]
    return sorted(chosen, key=filled.index)


def empty_share(samples: Sequence[Sample], mapping: SampleMapping) -> str:
    """The share of sample rows without a value, in words; "" if there are none, or the value is fixed."""
    empty = sum(not sample.source for sample in samples)
    return "" if not empty or not (mapping.column or mapping.template) else share(empty, len(samples))


def refusal(refused: Sequence[Sample], total: int, field: Field) -> str:
    """How many sample rows would be refused, and why; for a choice, the values that are not among its options."""
    rows = f"{len(refused):,} of {total:,} sample rows would be refused"
    if field.options and len({sample.code for sample in refused}) == 1:
        counts = Counter(sample.source for sample in refused).most_common()
        named = listed([f"{value} ({count:,})" for value, count in counts], LISTED_VALUES)
        return f"{rows}: not among the options of {field.label}: {named}."
    (message, _), *_ = Counter(sample.problem for sample in refused).most_common(1)
    return f"{rows}: {message}"
