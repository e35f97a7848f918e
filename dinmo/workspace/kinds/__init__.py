"""Reads and validates each kind of block in a workspace file, one module per kind."""
