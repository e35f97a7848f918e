"""Condition trees: parsing, validation, and descriptions in words. PURE, except `scope_from_db`."""
