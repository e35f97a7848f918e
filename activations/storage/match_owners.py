"""Records that the destination finds by other match values than the first of their row, such as several domains: whose each is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q

from activations import digests
from activations.models import Change, Generation, MatchValue, Record
from activations.storage import bulk
from core.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable

    from activations.storage.pairs import Pairs
    from destinations.contract import Outcome


def match_values(generation: Generation) -> Pairs:
    """Every match value of the records that are found by more than their row's first one."""
    sql = "SELECT key_digest, match_digest FROM activations_matchvalue WHERE generation_id = %s"
    keys, matches = bulk.fetch_numbers(sql, [generation.pk], ["i8", "i8"])
    return keys, matches


class Owners:
    """What a delivering run learns of whose record is whose; `commit` keeps it.

    A record that is another row's is never written twice in turn: the row that comes second is refused.
    """

    def __init__(self, generation_id: int) -> None:
        self.generation_id = generation_id
        self.known = MatchValue.objects.filter(generation_id=generation_id)
        self.any = self.known.exists()
        self.fresh: dict[str, Change] = {}
        """The vendor's id → the change that was accepted for such a record, not committed yet."""
        self.values: dict[int, list[int]] = {}

    def holder(self, change: Change, remote_id: str, identities: Iterable[str]) -> Change | Record | None:
        """Another row whose record this is, by what was accepted for it. A row that left blocks nobody."""
        fresh = self.fresh.get(remote_id)
        if fresh and fresh.key_digest != change.key_digest:
            return fresh
        matches = [digests.of_text(identity) for identity in identities]
        keys = self.known.filter(match_digest__in=matches).exclude(key_digest=change.key_digest).values("key_digest")
        accepted = Record.objects.filter(generation_id=self.generation_id, accepted_at__isnull=False, left_at=None)
        return accepted.filter(key_digest__in=keys, remote_id=remote_id).first()

    def overwritten(self, change: Change, outcome: Outcome) -> Change | Record | None:
        """Another row whose record was written just now; where the row's first match value is the only one, it can be no other's."""
        if not outcome.identities or self._is_plain(change, outcome):
            return None
        return self.holder(change, outcome.remote_id, outcome.identities)

    def accepted(self, change: Change, outcome: Outcome) -> None:
        """Notes what an accepted record is found by now."""
        self.values[change.key_digest] = []
        if outcome.identities and not self._is_plain(change, outcome):
            self.values[change.key_digest] = [digests.of_text(identity) for identity in outcome.identities]
            self.any = True
            self.fresh[change.remote_id] = change

    def commit(self) -> None:
        """Keeps what was noted since the last time, in the transaction of the caller."""
        if self.any and self.values:
            rows = [MatchValue(generation_id=self.generation_id, key_digest=key, match_digest=match)
                    for key, matches in self.values.items() for match in matches]  # fmt: skip
            self.known.filter(
                Q(key_digest__in=list(self.values)) | Q(match_digest__in=[row.match_digest for row in rows])
            ).delete()
            MatchValue.objects.bulk_create(rows)
        self.values, self.fresh = {}, {}

    def _is_plain(self, change: Change, outcome: Outcome) -> bool:
        return [digests.of_text(identity) for identity in outcome.identities] == [change.match_digest]


def refusal(holder: Change | Record, field: str) -> Rejected:
    """What a row is told whose match value leads to the record of another row."""
    return Rejected(
        "match_held",
        f"At the destination, one of its match values belongs to the record of {holder.key!r}, another row of the source. Take it off that "
        "record there, or make the two rows one in the source.",
        field=field,
    )
