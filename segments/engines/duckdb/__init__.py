"""CSV, JSON Lines and Parquet files, and DuckDB's own files, read by DuckDB in this process."""

from segments.engines.duckdb.csv_file import CSV
from segments.engines.duckdb.database import DuckDB
from segments.engines.duckdb.json_file import JSONLines
from segments.engines.duckdb.parquet_file import Parquet

ENGINES = [CSV(), Parquet(), JSONLines(), DuckDB()]
