"""Snowflake. Not yet tested against a live account."""

from segments.engines.snowflake.engine import Snowflake

ENGINES = [Snowflake()]
