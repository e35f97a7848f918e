"""Which row owns a record that the destination finds by more than one match value, such as a company by its domains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q

from activations import digests
from activations.models import Change, Generation, MatchValue, Record
from activations.storage import fetch
from core.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable

    from activations.storage.pairs import Pairs
    from destinations.contract import Outcome


def match_values(generation: Generation) -> Pairs:
    """Every match value of the records that the destination finds by more than the first one of their row."""
    sql = "SELECT key_digest, match_digest FROM activations_matchvalue WHERE generation_id = %s"
    keys, matches = fetch.fetch_numbers(sql, [generation.pk], ["i8", "i8"])
    return keys, matches


class Owners:
    """Tracks which row owns which record while a run is delivering. `commit` stores what was noted.

    Without it, two rows that are one record at the destination would overwrite each other's values in every run. The
    row that comes second is rejected instead.
    """

    def __init__(self, generation_id: int) -> None:
        self.generation_id = generation_id
        self.known = MatchValue.objects.filter(generation_id=generation_id)
        self.any = self.known.exists()
        self.uncommitted: dict[str, Change] = {}
        """The vendor's ID → the change that was accepted for such a record and is not committed yet."""
        self.values: dict[int, list[int]] = {}
        self.loaded: dict[int, set[int]] = {}
        """The digests of match values that were looked up since the last commit → those of the rows that have them."""

    def load(self, identities: Iterable[str]) -> None:
        """Looks up which rows have these match values, in one query instead of one for each change."""
        if not self.any:
            return
        matches = [digests.of_text(identity) for identity in identities]
        self.loaded |= {match: set() for match in matches}
        rows = self.known.filter(match_digest__in=matches).values_list("match_digest", "key_digest")
        for match, key in rows.iterator():
            self.loaded[match].add(key)

    def holder(self, change: Change, remote_id: str, identities: Iterable[str]) -> Change | Record | None:
        """The other row that owns this record, or None. Rows that left don't count."""
        earlier = self.uncommitted.get(remote_id)
        if earlier and earlier.key_digest != change.key_digest:
            return earlier
        matches = [digests.of_text(identity) for identity in identities]
        if not self.any or all(self._has_no_other(match, change) for match in matches):
            return None
        keys = self.known.filter(match_digest__in=matches).exclude(key_digest=change.key_digest).values("key_digest")
        accepted = Record.objects.filter(generation_id=self.generation_id, accepted_at__isnull=False, left_at=None)
        return accepted.filter(key_digest__in=keys, remote_id=remote_id).first()

    def refusal(self, change: Change, remote_id: str, identities: Iterable[str], field: str) -> Rejected | None:
        """The error for a change whose match value leads to the record of a different row; None if it doesn't."""
        holder = self.holder(change, remote_id, identities)
        return refusal(holder, field) if holder else None

    def overwritten(self, change: Change, outcome: Outcome) -> Change | Record | None:
        """The other row whose record was just written, or None."""
        # A record with no match value but the row's first one can't belong to a different row.
        if not outcome.identities or self._is_plain(change, outcome):
            return None
        return self.holder(change, outcome.remote_id, outcome.identities)

    def accepted(self, change: Change, outcome: Outcome) -> None:
        """Notes the match values by which the destination finds an accepted record from now on."""
        self.values[change.key_digest] = []
        if outcome.identities and not self._is_plain(change, outcome):
            self.values[change.key_digest] = [digests.of_text(identity) for identity in outcome.identities]
            self.any = True
            self.uncommitted[change.remote_id] = change

    def commit(self) -> None:
        """Stores what was noted since the last call, in the caller's transaction."""
        if self.any and self.values:
            rows = [
                MatchValue(generation_id=self.generation_id, key_digest=key, match_digest=match)
                for key, matches in self.values.items()
                for match in matches
            ]
            self.known.filter(
                Q(key_digest__in=list(self.values)) | Q(match_digest__in=[row.match_digest for row in rows])
            ).delete()
            MatchValue.objects.bulk_create(rows)
        self.values, self.uncommitted, self.loaded = {}, {}, {}

    def _has_no_other(self, match: int, change: Change) -> bool:
        """Whether it is known that no other row has this match value."""
        return match in self.loaded and self.loaded[match] <= {change.key_digest}

    def _is_plain(self, change: Change, outcome: Outcome) -> bool:
        return [digests.of_text(identity) for identity in outcome.identities] == [change.match_digest]


class ForeseenOwners(Owners):
    """The owners as a dry run foresees them. It stores nothing: what it decided is found in its own changes.

    Args:
        resumes: an earlier worker or slice has decided about a part of them.
    """

    def __init__(self, generation_id: int, run_id: int, *, resumes: bool) -> None:
        super().__init__(generation_id)
        found = Change.objects.filter(run=run_id, outcome__in=(Change.Outcome.UPDATES, Change.Outcome.MATCHED))
        self.decided = found if resumes else found.none()

    def holder(self, change: Change, remote_id: str, identities: Iterable[str]) -> Change | Record | None:
        others = self.decided.filter(remote_id=remote_id).exclude(key_digest=change.key_digest)
        return super().holder(change, remote_id, identities) or others.first()

    def commit(self) -> None:
        self.values, self.loaded = {}, {}


def refusal(holder: Change | Record, field: str) -> Rejected:
    """The error for a row whose match value leads to the record of a different row."""
    return Rejected(
        "match_held",
        f"At the destination, one of its match values belongs to the record of “{holder.key}”, a different row of the "
        "source. Remove the value from that record, or merge the two rows in the source.",
        field=field,
    )
