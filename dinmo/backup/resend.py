"""Invalidates restored baseline rows of records that were, or may have been, accepted after the backup.

Example: the backup has A, B was accepted afterwards, and the source has A again. By the digest of A, the run would
consider the record unchanged, and the destination would keep B.

A backup may also be newer than the database, for example when an installation moves back. Then the backup's history
contains what the database knows. The clocks of two machines may differ, so times are compared only for equality.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import connection

from activations import digests
from activations.models import Activation
from dinmo.backup.schema import existing

if TYPE_CHECKING:
    from datetime import datetime

MARGIN = timedelta(hours=1)
"""The maximum clock difference between machines. Records that are identical in the backup are excluded later."""
_TABLES = {"activations_record", "activations_generation", "activations_change", "activations_run"}

_ACCEPTED = """
CREATE TEMPORARY TABLE backup_newer AS
SELECT generation.activation_id, record.generation_id, generation.created_at AS generation_at, record.key_digest,
       record.accepted_at
FROM activations_record record JOIN activations_generation generation ON generation.id = record.generation_id
WHERE record.accepted_at >= %s
"""
_IN_DOUBT = """
CREATE TEMPORARY TABLE backup_in_doubt AS
SELECT generation.activation_id, run.generation_id, generation.created_at AS generation_at, change.key_digest,
       change.id AS change_id, change.first_attempt_at, change.state, change.outcome, change.attempts
FROM activations_change change
JOIN activations_run run ON run.id = change.run_id
JOIN activations_generation generation ON generation.id = run.generation_id
WHERE change.state = 'sending' OR change.first_attempt_at >= %s
"""
_FORGET = """
UPDATE activations_record SET row_digest = 0, match_digest = 0, tried = '', field_digests = %s
WHERE id IN (
    SELECT record.id FROM activations_record record
    JOIN activations_generation generation ON generation.id = record.generation_id
    JOIN backup_newer newer ON newer.generation_id = record.generation_id AND newer.key_digest = record.key_digest
        AND newer.generation_at = generation.created_at
    WHERE generation.activation_id = %s AND (record.accepted_at IS NULL OR record.accepted_at <> newer.accepted_at)
        AND NOT EXISTS (
            SELECT 1 FROM activations_change change JOIN activations_run run ON run.id = change.run_id
            WHERE change.key_digest = newer.key_digest AND change.settled_at = newer.accepted_at
                AND change.outcome IN ('accepted', 'matched') AND run.generation_id = newer.generation_id)
    UNION
    SELECT record.id FROM activations_record record
    JOIN activations_generation generation ON generation.id = record.generation_id
    JOIN backup_in_doubt doubt ON doubt.generation_id = record.generation_id AND doubt.key_digest = record.key_digest
        AND doubt.generation_at = generation.created_at
    WHERE generation.activation_id = %s AND NOT EXISTS (
        SELECT 1 FROM activations_change change
        WHERE change.id = doubt.change_id AND change.key_digest = doubt.key_digest
            AND change.first_attempt_at = doubt.first_attempt_at
            AND (change.state = doubt.state AND change.outcome = doubt.outcome AND change.attempts = doubt.attempts
                OR change.state = 'settled' AND doubt.state <> 'settled'))
)
"""


class Newer:
    """The records that the replaced database sent after the backup was created."""

    def __init__(self, since: datetime) -> None:
        """Copies them to temporary tables. `since` is the time of the backup."""
        self._is_copied = existing() >= _TABLES
        if self._is_copied:
            moment = connection.ops.adapt_datetimefield_value(since - MARGIN)
            with connection.cursor() as cursor:
                cursor.execute(_ACCEPTED, [moment])
                cursor.execute(_IN_DOUBT, [moment])

    def forget(self) -> int:
        """Resets their rows in the restored baseline, so that the next run sends them. Returns the number of rows."""
        if not self._is_copied:
            return 0
        with connection.cursor() as cursor:
            forgotten = 0
            for activation, slots in Activation.objects.values_list("pk", "next_slot"):
                doubtful = digests.pack(dict.fromkeys(range(slots), digests.IN_DOUBT))
                forgotten += cursor.execute(_FORGET, [doubtful, activation, activation]).rowcount
            cursor.execute("DROP TABLE backup_newer")
            cursor.execute("DROP TABLE backup_in_doubt")
        return forgotten
