"""Amazon Redshift. Not yet tried against a live cluster."""

from segments.engines.redshift.engine import Redshift

ENGINES = [Redshift()]
