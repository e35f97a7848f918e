"""CSV and Parquet files, read by DuckDB in this process."""

from segments.engines.duckdb.csv_file import CSV
from segments.engines.duckdb.parquet_file import Parquet

ENGINES = [CSV(), Parquet()]
