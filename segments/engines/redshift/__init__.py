"""Amazon Redshift. Not yet tested against a live cluster."""

from segments.engines.redshift.engine import Redshift

ENGINES = [Redshift()]
