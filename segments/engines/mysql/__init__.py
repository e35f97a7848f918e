"""MySQL and MariaDB."""

from segments.engines.mysql.engine import MySQL

ENGINES = [MySQL()]
