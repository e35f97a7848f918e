"""Google BigQuery. Not yet tested against a live project."""

from segments.engines.bigquery.engine import BigQuery

ENGINES = [BigQuery()]
