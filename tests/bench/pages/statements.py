"""The SQL that fills the history. Every number is derived from IDs, so that each fill is the same."""

from __future__ import annotations

GENERATIONS = {
    "activation_id": "a.id",
    "number": "1",
    "identity": "'{}'::jsonb",
    "created_at": "now() - interval '90 days'",
    "from": "FROM activations_activation a",
}
RUNS = {
    "activation_id": "a.id",
    "generation_id": "g.id",
    "number": "n",
    "state": "'succeeded'",
    "trigger": "(ARRAY['schedule', 'schedule', 'schedule', 'schedule', 'manual', 'api'])[1 + (a.id + n) %% 6]",
    "kind": "CASE WHEN n = 1 THEN 'full' ELSE 'delta' END",
    "reason": "CASE WHEN n = 1 THEN 'First run' ELSE '' END",
    "dry_run": "(a.id + n) %% 40 = 0",
    "rows": "2000 + (a.id * 37 + n) %% 900",
    "mapped": """'[[0, "name", "name", null, "keep", false, ""], [1, "description", "description", null, "keep", false,
        ""], [2, "plan", "plan", null, "keep", false, ""]]'::jsonb""",
    "epoch": "1",
    "write_requests": "20",
    "discovery_requests": "3",
    "created_at": "t.began - interval '2 seconds'",
    "started_at": "t.began",
    "finished_at": "t.began + interval '1 second' * (5 + (a.id * 13 + n) %% 300)",
    "from": """
        FROM (SELECT id, count(*) OVER () AS activations FROM activations_activation) a
        JOIN activations_generation g ON g.activation_id = a.id
        CROSS JOIN LATERAL generate_series(1, %(runs)s / a.activations) n
        CROSS JOIN LATERAL (SELECT now() - interval '10 minutes' - interval '90 days' / (%(runs)s / a.activations)
            * (%(runs)s / a.activations - n) - interval '1 minute' * (a.id %% 9) AS began) t
        ORDER BY t.began""",
}
PLANNED = """
    CREATE TABLE bench_planned AS
    SELECT r.id AS run_id, r.number, r.dry_run, r.started_at, CASE
        WHEN r.number = 1 THEN %(changes)s * 3 / 10 / l.activations
        WHEN r.number = l.last AND r.activation_id = l.first THEN %(changes)s / 10
        ELSE %(changes)s * 6 / 10 / %(runs)s END AS size
    FROM activations_run r CROSS JOIN (SELECT max(number) AS last, min(activation_id) AS first,
        count(DISTINCT activation_id) AS activations FROM activations_run) l"""
"""The last run of the first activation has a tenth of all changes, the first runs three tenths together."""
NAME = """(ARRAY['Blue', 'Nord', 'Grün', 'Été', 'Oak', 'Silver', 'Łódź', 'Café', 'Terra', 'Zenith', '北海', 'Fjörd',
    'Iron'])[1 + c.id %% 13] || ' ' || (ARRAY['Works', 'Labs', 'Foods', 'Logistics', 'Media', 'Énergie', 'Systems',
    'Robotics', 'Trading'])[1 + c.id / 2 %% 9] || ' ' || c.id"""
_DICE = "((p.run_id * 31 + c.id * 7) %% 1000)"
_UUID = "md5(c.id::text)::uuid::text"
CHANGES = {
    "run_id": "p.run_id",
    "epoch": "1",
    "key": "c.id::text",
    "key_digest": "c.digest",
    "name": NAME,
    "plain_name": f"""CASE WHEN octet_length({NAME}) > length({NAME})
        THEN lower(translate({NAME}, 'ÉéüŁóźö', 'EeuLozo')) END""",
    "is_new": "p.number = 1",
    "remote_id": f"CASE WHEN {_DICE} >= 30 THEN {_UUID} ELSE '' END",
    "match_identity": "'company' || c.id || '.com'",
    "match_value": "jsonb_build_array('company' || c.id || '.com')",
    "values": f"""jsonb_build_object('name', {NAME}, 'description', {NAME} || ' sells to restaurants and hotels in '
        || 'twelve countries, and was founded by two sisters.', 'plan',
        (ARRAY['free', 'starter', 'team'])[1 + c.id %% 3],
        'seats', c.id %% 900, 'domains', jsonb_build_array('company' || c.id || '.com'))""",
    "changed": """CASE WHEN p.number = 1 THEN '["name", "description", "plan", "seats"]'::jsonb
        ELSE '["plan"]'::jsonb END""",
    "sent": """CASE WHEN p.dry_run THEN '[]'::jsonb
        WHEN p.number = 1 THEN '["name", "description", "plan", "seats"]'::jsonb
        ELSE '["plan"]'::jsonb END""",
    "state": "'settled'",
    "outcome": f"""CASE WHEN p.dry_run THEN '' WHEN {_DICE} < 8 THEN 'rejected' WHEN {_DICE} < 20 THEN 'invalid'
        WHEN {_DICE} < 29 THEN 'skipped' WHEN {_DICE} < 30 THEN 'unknown' ELSE 'accepted' END""",
    "code": f"""CASE WHEN p.dry_run OR {_DICE} >= 30 THEN '' WHEN {_DICE} < 4 THEN 'validation_type'
        WHEN {_DICE} < 8 THEN 'value_not_found' WHEN {_DICE} < 15 THEN 'duplicate_match'
        WHEN {_DICE} < 20 THEN 'not_a_date'
        WHEN {_DICE} < 29 THEN 'not_at_destination' ELSE 'timeout' END""",
    "field": f"CASE WHEN {_DICE} < 8 THEN 'plan' WHEN {_DICE} BETWEEN 15 AND 19 THEN 'founded_on' ELSE '' END",
    "message": f"""CASE WHEN p.dry_run OR {_DICE} >= 30 THEN ''
        WHEN {_DICE} < 8 THEN 'The option "enterprise" does not exist. Add it to the attribute.'
        WHEN {_DICE} < 15 THEN 'Shares a match value with ' || (c.id + 1) || '.'
        WHEN {_DICE} < 20 THEN 'The value "soon" is not a date.'
        WHEN {_DICE} < 29 THEN 'No record at the destination has this domain.' ELSE 'No answer came in time.' END""",
    "request_id": f"CASE WHEN {_DICE} < 8 THEN {_UUID} ELSE '' END",
    "attempts": "1",
    "created": f"p.number = 1 AND NOT p.dry_run AND {_DICE} >= 30",
    "first_attempt_at": "p.started_at + interval '2 seconds'",
    "settled_at": "p.started_at + interval '3 seconds'",
    "web_url": f"""CASE WHEN {_DICE} >= 30 THEN 'https://app.attio.com/acme/company/' || {_UUID} || '/overview' ELSE ''
        END""",
    "exchange_id": "CASE WHEN c.id %% 50 = 17 THEN gen_random_uuid() END",
    "from": """
        FROM bench_planned p CROSS JOIN LATERAL generate_series(1, p.size) g
        JOIN bench_company c ON c.id = (p.run_id * 7919 + g) %% %(companies)s + 1""",
}
EXCHANGES = {
    "id": "c.exchange_id",
    "run_id": "c.run_id",
    "method": "'PUT'",
    "url": "'https://api.attio.com/v2/objects/companies/records?matching_attribute=domains'",
    "request": "jsonb_build_object('data', jsonb_build_object('values', c.\"values\"))::text",
    "status": "CASE WHEN c.outcome = 'rejected' THEN 400 ELSE 200 END",
    "response": "jsonb_build_object('data', jsonb_build_object('id', c.remote_id))::text",
    "sent_at": "c.settled_at",
    "from": "FROM activations_change c WHERE c.exchange_id IS NOT NULL",
}
COUNTS = """
    UPDATE activations_run r SET accepted = n.accepted, created = n.created, rejected = n.rejected,
        invalid = n.invalid, skipped = n.skipped, unknown = n.unknown, new = n.new, known = n.planned - n.new,
        planned = n.planned, unchanged = greatest(0, r.rows - n.planned), rows = greatest(r.rows, n.planned)
    FROM (SELECT run_id, count(*) AS planned, count(*) FILTER (WHERE is_new) AS new,
        count(*) FILTER (WHERE created) AS created, count(*) FILTER (WHERE outcome = 'accepted') AS accepted,
        count(*) FILTER (WHERE outcome = 'rejected') AS rejected,
        count(*) FILTER (WHERE outcome = 'invalid') AS invalid,
        count(*) FILTER (WHERE outcome = 'skipped') AS skipped, count(*) FILTER (WHERE outcome = 'unknown') AS unknown
        FROM activations_change GROUP BY run_id) n
    WHERE n.run_id = r.id"""
STATES = """
    UPDATE activations_run SET state = CASE WHEN dry_run THEN 'planned' WHEN (id * 7) %% 60 = 0 THEN 'failed'
        WHEN (id * 7) %% 211 = 0 THEN 'cancelled' WHEN rejected + invalid + unknown > 0 THEN 'completed_with_warnings'
        ELSE 'succeeded' END,
        error_code = CASE WHEN NOT dry_run AND (id * 7) %% 60 = 0 THEN 'unavailable' ELSE '' END,
        error_message = CASE WHEN NOT dry_run AND (id * 7) %% 60 = 0 THEN 'Attio did not answer within 30 seconds.'
        ELSE '' END"""
LIVE = """
    UPDATE activations_run SET state = CASE WHEN id %% 2 = 0 THEN 'delivering' ELSE 'planning' END, finished_at = NULL,
        started_at = now() - interval '1 minute', dry_run = false, lease_until = now() + interval '1 day'
    WHERE id IN (SELECT max(id) FROM activations_run GROUP BY activation_id ORDER BY activation_id DESC LIMIT 4)
    """
FAILED = """
    UPDATE activations_run SET state = 'failed', error_code = 'unavailable',
        error_message = 'Attio did not answer within 30 seconds.'
    WHERE id IN (SELECT max(id) FROM activations_run WHERE NOT dry_run AND finished_at IS NOT NULL
        GROUP BY activation_id HAVING activation_id %% 10 IN (4, 5))"""
"""Of two in ten activations, the last run failed: of one with a segment and of one with a model."""
RECORDS = {
    "generation_id": "g.id",
    "key": "c.id::text",
    "key_digest": "c.digest",
    "remote_id": _UUID,
    "accepted_at": "now() - interval '1 hour' * (c.id %% 2000)",
    "left_at": "CASE WHEN c.id %% 100 = 3 THEN r.started_at END",
    "tried": "CASE c.id %% 200 WHEN 5 THEN 'rejected' WHEN 6 THEN 'invalid' WHEN 7 THEN 'skipped' ELSE '' END",
    "attempts": "CASE WHEN c.id %% 200 BETWEEN 5 AND 7 THEN 1 ELSE 0 END",
    "from": """
        FROM activations_generation g JOIN activations_activation a ON a.id = g.activation_id
        CROSS JOIN (SELECT min(id) AS first FROM activations_activation) f
        JOIN LATERAL (SELECT max(started_at) AS started_at FROM activations_run WHERE activation_id = a.id) r ON true
        JOIN bench_company c ON c.id <= CASE WHEN a.id = f.first THEN %(companies)s
            ELSE %(companies)s / %(activations)s END""",
}
"""The baseline of the first activation has every company."""
WARNINGS = {
    "activation_id": "a.id",
    "run_id": "r.first",
    "last_run_id": "r.last",
    "kind": "(ARRAY['rejected_share', 'invalid_share', 'size_change', 'missing_attribute', 'run_failed'])[1 + n %% 5]",
    "subject": "CASE WHEN n %% 5 = 3 THEN 'categories' ELSE '' END",
    "message": """(ARRAY['8.0 %% of the records were rejected (160 of 2,000).',
        '12.0 %% of the rows can''t be sent as they are.',
        'The number of rows changed by 45 %%.', 'The attribute categories can no longer be written.',
        'Attio did not answer within 30 seconds.'])[1 + n %% 5]""",
    "facts": "'{}'::jsonb",
    "opened_at": "now() - interval '1 day' * n - interval '1 minute' * a.id",
    "closed_at": "CASE WHEN n > 1 OR a.id %% 4 > 0 THEN now() - interval '1 day' * n + interval '3 hours' END",
    "notified_at": "now() - interval '1 day' * n",
    "from": """
        FROM activations_activation a
        JOIN LATERAL (SELECT min(id) AS first, max(id) AS last FROM activations_run WHERE activation_id = a.id) r
            ON true
        CROSS JOIN LATERAL generate_series(1, %(warnings)s / %(activations)s) n""",
}
MISTAKES = """
    UPDATE segments_source SET health = 'failed', health_message = 'The password was not accepted.', health_at = now()
    WHERE id = (SELECT max(id) FROM segments_source)"""
SIZES = {
    "segment_id": "s.id",
    "day": "current_date - n",
    "rows": "2000 + s.id * 7 %% 500 + n",
    "from": "FROM segments_segment s CROSS JOIN generate_series(0, 29) n",
}
INDEXES = """
    SELECT indexname, indexdef FROM pg_indexes i
    WHERE tablename = %s AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conname = i.indexname)"""
