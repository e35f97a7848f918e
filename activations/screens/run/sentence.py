"""PURE. What a run did, in one sentence whose numbers add up to its counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NOT_ACCEPTED = {
    "rejected": "rejected", "invalid": "can't be sent", "unknown": "with an unknown outcome", "not_sent": "not sent",
    "skipped": "skipped",
}  # fmt: skip

NOT_FORESEEN = {
    "skipped": "would be skipped", "rejected": "would be refused", "invalid": "can't be sent",
    "not_sent": "could not be compared", "unchanged": "unchanged in the source",
}  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """A run in words and numbers.

    Args:
        state: a `Run.State`.
        counts: every counter of the run by its name.
        one, many: what the destination calls a record and several of them, such as company and companies.
        vendor: the name of the platform.
        kept: why write policies kept fields, in a few words.
        error: why the run failed, or its plan was not sent, in the words that it stored.
        is_dry: nothing is sent.
        is_compared: a dry run that compares with the destination.
        compares: new records are compared with the destination before they are sent.
        waits_for: what the records lack that the destination did not take completely.
        is_check: a check for drift.
    """

    state: str
    counts: Mapping[str, int]
    one: str = "record"
    many: str = "records"
    vendor: str = "the destination"
    error: str = ""
    kept: str = ""
    is_test: bool = False
    is_dry: bool = False
    is_compared: bool = False
    compares: bool = False
    waits_for: str = "a value"
    is_check: bool = False

    def noun(self, number: int) -> str:
        return f"{number:,} {self.one if number == 1 else self.many}"


def sentence(run: Facts) -> str:
    """What the run did, does, or would do."""
    words = " ".join(filter(None, [_of_state(run), _kept(run), _visible(run), _waiting(run), _left(run)]))
    return f"Test with one record. {words}" if run.is_test else words


def _of_state(run: Facts) -> str:
    if run.state == "queued":
        return "Waiting to start."
    if run.state == "planning":
        return "Reading the source, and comparing it with what was sent before."
    if run.state == "delivering" and run.is_dry:
        return f"Comparing {run.noun(run.counts['planned'])} with what {run.vendor} holds. Nothing is sent."
    if run.state == "delivering":
        compared = " New ones are compared first." if run.compares and run.counts["new"] else ""
        return f"Sending {run.noun(run.counts['planned'])} to {run.vendor}.{compared}"
    if run.state == "planned":
        return foreseen(run) if run.is_compared and run.counts["planned"] else would(run)
    if run.state == "held":
        return f"Waiting for approval. {would(run)}"
    if run.state == "failed":
        return " ".join(filter(None, [f"Failed: {run.error or 'the reason is not known.'}", _before_the_end(run)]))
    if run.state == "cancelled" and run.error:
        return run.error
    if run.state == "cancelled":
        return f"Cancelled. {_before_the_end(run) or 'Nothing had been sent.'}"
    return done(run)


def drifted(run: Facts) -> str:
    """What a check for drift found."""
    counts = run.counts
    if not counts["planned"]:
        return f"No {run.many} to compare. Nothing was sent."
    gone = _rest([(counts["skipped"], f"gone in {run.vendor}"), (counts["rejected"], "could not be looked up")])
    found = ", ".join([f"{counts['updates']:,} edited in {run.vendor}", *gone])
    return f"Compared {run.noun(counts['planned'])}: {found}. Nothing was sent."


def done(run: Facts) -> str:
    """The outcomes of a run that reached its end."""
    counts = run.counts
    if run.is_check:
        return drifted(run)
    tried = counts["accepted"] + counts["matched"] + counts["rejected"] + counts["unknown"] + counts["not_sent"]
    if not tried and not counts["rows"]:
        return "The source returned no rows."
    if not tried and counts["unchanged"] + counts["waiting"]:
        parts = [f"{run.noun(counts['unchanged'])} {'is' if counts['unchanged'] == 1 else 'are'} up to date"]
        parts += _rest([(counts["waiting"], "waiting for a retry"), *_not_accepted(counts)])
        return f"Nothing had changed: {', '.join(parts)}."
    return outcomes(run)


def outcomes(run: Facts) -> str:
    """How many records were created, updated, not accepted and skipped."""
    created = run.counts["created"]
    updated = run.counts["accepted"] - created
    parts = [f"{run.noun(created)} created"] if created else []
    if updated:
        differ = " (fields that differ)" if run.counts["matched"] else ""
        parts.append(f"{updated:,} updated{differ}" if created else f"{run.noun(updated)} updated{differ}")
    rest = _rest([(run.counts["matched"], "already there"), *_not_accepted(run.counts)])
    if not parts:
        return f"No {run.many} were created or updated in {run.vendor}{': ' if rest else ''}{', '.join(rest)}."
    accepted = " and ".join(parts)
    return f"{', '.join([f'{accepted} in {run.vendor}', *rest])}."


def would(run: Facts) -> str:
    """What a run would send after this dry run."""
    new, known = run.counts["new"], run.counts["known"]
    left_out = _rest([(run.counts["invalid"], "can't be sent"), (run.counts["skipped"], "would be skipped")])
    rest = f" {', '.join(left_out)}." if left_out else ""
    if new + known:
        compared = run.compares and new
        kinds = _rest([(new, "new (compared first)" if compared else "new"), (known, "changed")])
        most = "up to " if compared else ""
        return f"Would send {most}{run.noun(new + known)} to {run.vendor}: {', '.join(kinds)}.{rest}"
    up_to_date = run.counts["unchanged"]
    return f"Nothing would be sent{f': {run.noun(up_to_date)} up to date' if up_to_date else ''}.{rest}"


def foreseen(run: Facts) -> str:
    """What a run would do according to the destination."""
    counts = run.counts
    as_is = "as it is" if counts["matched"] == 1 else "as they are"
    words = (("creates", "create {}"), ("updates", "update {}"), ("matched", f"leave {{}} {as_is}"))
    named = [(counts[name], verb) for name, verb in words if counts[name]]
    parts = [verb.format(f"{number:,}" if place else run.noun(number)) for place, (number, verb) in enumerate(named)]
    rest = _rest([(counts[name], why) for name, why in NOT_FORESEEN.items()])
    tail = f" {', '.join(rest)}." if rest else ""
    return f"Would {', '.join(parts)}; nothing was sent.{tail}" if parts else f"Nothing would be sent.{tail}"


def meaning_of_new(mode: str, one: str, vendor: str) -> str:
    """What happens to new records in a real run, which a dry run can't know without asking the vendor for each."""
    if mode == "update":
        return f"New: never sent before. {vendor} updates each if it has such a {one}, and otherwise skips it."
    if mode == "insert":
        return f"New: never sent before. {vendor} creates each, unless it already has such a {one}."
    return f"New: never sent before. {vendor} creates each, or updates it if it already has such a {one}."


def losses(lossy: Mapping[str, Sequence[int]], labels: Mapping[str, str]) -> list[str]:
    """How many values of each attribute were converted with loss, most first.

    Args:
        lossy: as `Run.lossy`.
        labels: the labels of the attributes by name.
    """
    most_first = sorted(lossy.items(), key=lambda item: (-item[1][0], item[0]))
    return [
        f"{labels.get(name) or name}: {lost:,} of {values:,} value{'' if values == 1 else 's'}"
        for name, (lost, values) in most_first
    ]


def _kept(run: Facts) -> str:
    """Of how many records a write policy left a field as it is, and why."""
    kept = run.counts["kept"]
    return f"{kept:,} kept: {run.kept}." if kept and run.state not in ("queued", "planning", "delivering") else ""


def _waiting(run: Facts) -> str:
    """How many records lack something that the destination takes only later. They come again in the next run."""
    number = run.counts["incomplete"]
    return f"{run.noun(number)} {'waits' if number == 1 else 'wait'} for {run.waits_for}." if number else ""


def _visible(run: Facts) -> str:
    """How many hidden records were made visible."""
    made = run.counts["made_visible"]
    return f"{run.noun(made)} {'was' if made == 1 else 'were'} made visible." if made else ""


def _left(run: Facts) -> str:
    """How many records are no longer in the data, which many people expect to be removed at the destination."""
    left = run.counts["left"]
    if not left or run.state in ("queued", "planning", "delivering", "failed", "cancelled"):
        return ""
    stay = "is no longer in the data, and stays" if left == 1 else "are no longer in the data, and stay"
    return f"{run.noun(left)} {stay} in {run.vendor} as {'it is' if left == 1 else 'they are'}."


def _before_the_end(run: Facts) -> str:
    if run.is_dry:
        compared = run.counts["creates"] + run.counts["updates"] + run.counts["matched"]
        return f"{run.noun(compared)} had been compared. Nothing was sent." if compared else "Nothing was sent."
    settled = sum(
        run.counts[name] for name in ("accepted", "matched", "rejected", "invalid", "skipped", "unknown", "not_sent")
    )
    return outcomes(run) if settled else ""


def _not_accepted(counts: Mapping[str, int]) -> list[tuple[int, str]]:
    return [(counts[name], words) for name, words in NOT_ACCEPTED.items()]


def _rest(counted: list[tuple[int, str]]) -> list[str]:
    return [f"{number:,} {words}" for number, words in counted if number]
