"""From a condition tree to SQL: SQLAlchemy Core with bound parameters, never a string of SQL."""
