"""Compiles condition trees to SQL: SQLAlchemy Core with bound parameters, never strings of SQL."""
