"""Google BigQuery. Not yet tried against a live project."""

from segments.engines.bigquery.engine import BigQuery

ENGINES = [BigQuery()]
